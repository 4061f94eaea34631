// A page that is to the plug-in what Grafana's application is: its packages, its services, and the built module, loaded as
// Grafana loads it.
import * as emotionCss from "@emotion/css";
import * as emotionReact from "@emotion/react";
import * as data from "@grafana/data";
import { createTheme, type DataSourceApi, type DataSourceInstanceSettings, ThemeContext } from "@grafana/data";
import * as i18n from "@grafana/i18n";
import * as runtime from "@grafana/runtime";
import { config } from "@grafana/runtime";
import * as ui from "@grafana/ui";
import { GlobalStyles, PortalContainer } from "@grafana/ui";
import * as lodash from "lodash";
import * as moment from "moment";
import * as React from "react";
import * as jsxRuntime from "react/jsx-runtime";
import * as ReactDOM from "react-dom";
import { createRoot } from "react-dom/client";
import { MemoryRouter } from "react-router-dom";
import * as rxjs from "rxjs";
import { type DashboardJson, sceneOf, showToTests } from "./dashboard";
import { AnnotationPage, ConfigPage, ExplorePage, type PageProps, VariablePage } from "./pages";
import { providePanels } from "./panels";
import { provideServices, setScene } from "./services";

const shared: Record<string, object> = {
  "@emotion/css": emotionCss,
  "@emotion/react": emotionReact,
  "@grafana/data": data,
  "@grafana/i18n": i18n,
  "@grafana/runtime": runtime,
  "@grafana/ui": ui,
  lodash,
  moment,
  react: React,
  "react/jsx-runtime": jsxRuntime,
  "react-dom": ReactDOM,
  rxjs,
};
/** The address that the page's import map gives a package's name. */
const addressOf = (name: string) => new URL(`/shared/${name}`, window.location.href).href;

const pages = { config: ConfigPage, explore: ExplorePage, variable: VariablePage, annotation: AnnotationPage } as const;

const uid = "lynceus";

async function start(): Promise<void> {
  const search = new URLSearchParams(window.location.search);
  const theme = createTheme({ colors: { mode: search.get("theme") === "light" ? "light" : "dark" } });
  config.theme2 = theme;
  for (const [name, module] of Object.entries(shared))
    window.System.set(addressOf(name), { ...module, default: module });
  const { plugin } = await window.System.import("/public/plugins/lynceus-fleet-datasource/module.js");
  window.seen.shared = Object.keys(shared);

  let api: DataSourceApi;
  let settings: DataSourceInstanceSettings;
  const reload = async (): Promise<DataSourceApi> => {
    settings = await (await fetch(`/api/frontend/settings/${uid}`)).json();
    api = new plugin.DataSourceClass(settings);
    // What Grafana's loader adds.
    Object.assign(api, { components: plugin.components, meta: settings.meta });
    return api;
  };
  provideServices(() => ({ api, settings }));
  providePanels();
  await reload();

  const page = window.location.pathname.slice(1);
  let content: React.ReactNode;
  if (page.startsWith("d/")) {
    const json: DashboardJson = await (
      await fetch(`/public/plugins/lynceus-fleet-datasource/dashboards/${page.slice(2)}.json`)
    ).json();
    const scene = sceneOf(json);
    setScene(scene);
    showToTests(scene);
    document.title = json.title;
    content = <scene.Component model={scene} />;
  } else {
    const Page = pages[page as keyof typeof pages] as React.ComponentType<PageProps>;
    content = <Page plugin={plugin} api={api!} uid={uid} reload={reload} />;
  }
  createRoot(document.getElementById("root") as HTMLElement).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <MemoryRouter>
        <div style={{ minHeight: "100vh", padding: 16, background: theme.colors.background.canvas }}>{content}</div>
      </MemoryRouter>
      <PortalContainer />
    </ThemeContext.Provider>,
  );
}

// The module loader comes after the libraries: some of them would give themselves to it instead of to the page.
window.addEventListener("load", () => {
  start().catch((error: unknown) => {
    document.body.textContent = error instanceof Error ? `${error.message}\n${error.stack}` : JSON.stringify(error);
  });
});
