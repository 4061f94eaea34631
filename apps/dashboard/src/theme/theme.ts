import {
  type ActionIconFactory,
  type AlertFactory,
  type ButtonFactory,
  type CheckboxFactory,
  type CSSVariablesResolver,
  createTheme,
  defaultVariantColorsResolver,
  type ExtendComponent,
  type FactoryPayload,
  type InputFactory,
  type InputWrapperFactory,
  type KbdFactory,
  type LoaderFactory,
  type MantineColorsTuple,
  type MantineThemeComponent,
  type MenuFactory,
  type ModalFactory,
  type NavLinkFactory,
  type PasswordInputFactory,
  type TooltipFactory,
} from "@mantine/core";
import { darkScheme, light, tuples } from "./tokens.ts";

const colors = tuples as unknown as Record<keyof typeof tuples, MantineColorsTuple>;

/** What `Component.extend` checks, by the component's type alone: the theme is on every page, most components are not. */
const of = <Factory extends FactoryPayload>(input: ExtendComponent<Factory>): MantineThemeComponent => input;

/** Mantine under our tokens (interface section 2). Controls are 28 px high; buttons are ink, never coloured. */
export const theme = createTheme({
  colors,
  primaryColor: "sight",
  primaryShade: { light: 7, dark: 4 },
  white: "#FFFFFF",
  black: "#15171A",
  fontFamily: '"Inter Variable", system-ui, sans-serif',
  fontFamilyMonospace: '"Geist Mono Variable", ui-monospace, monospace',
  fontSizes: { xs: "11px", sm: "12px", md: "13px", lg: "15px", xl: "21px" },
  lineHeights: { xs: "14px", sm: "16px", md: "20px", lg: "22px", xl: "28px" },
  spacing: { xs: "4px", sm: "8px", md: "14px", lg: "24px", xl: "40px" },
  radius: { xs: "3px", sm: "5px", md: "6px", lg: "10px", xl: "12px" },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  headings: {
    fontFamily: '"Inter Variable", system-ui, sans-serif',
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "21px", lineHeight: "28px", fontWeight: "500" },
      h2: { fontSize: "13px", lineHeight: "20px" },
    },
  },
  variantColorResolver: (input) => {
    // A filled button is ink: the accent marks only focus, selection and links.
    if (input.variant === "filled" && (input.color === undefined || input.color === input.theme.primaryColor)) {
      return {
        background: "var(--btn)",
        hover: "var(--btn-hover)",
        color: "var(--btn-ink)",
        border: "1px solid var(--btn)",
      };
    }
    if (input.variant === "subtle" && (input.color === undefined || input.color === input.theme.primaryColor)) {
      return {
        background: "transparent",
        hover: "var(--sunken)",
        color: "var(--ink2)",
        border: "1px solid transparent",
      };
    }
    return defaultVariantColorsResolver(input);
  },
  components: {
    Button: of<ButtonFactory>({
      defaultProps: { variant: "default", size: "sm" },
      vars: (_theme, props) => ({
        root:
          props.size === undefined || props.size === "sm"
            ? { "--button-height": "28px", "--button-padding-x": "10px", "--button-fz": "13px" }
            : props.size === "md"
              ? { "--button-height": "36px", "--button-fz": "13px" }
              : {},
      }),
      styles: { label: { fontWeight: 500 } },
    }),
    ActionIcon: of<ActionIconFactory>({ defaultProps: { variant: "subtle", size: 28 } }),
    Input: of<InputFactory>({
      defaultProps: { size: "sm" },
      vars: () => ({ wrapper: { "--input-height": "28px", "--input-fz": "13px", "--input-padding": "8px" } }),
    }),
    PasswordInput: of<PasswordInputFactory>({
      defaultProps: { visibilityToggleButtonProps: { "aria-label": "Show what is typed" } },
    }),
    InputWrapper: of<InputWrapperFactory>({
      // What may stay empty says so in its description.
      defaultProps: { withAsterisk: false },
      styles: {
        label: { fontWeight: 500, fontSize: "13px", lineHeight: "20px", marginBottom: 2 },
        description: { fontSize: "12px", lineHeight: "16px", color: "var(--ink3)" },
        error: { fontSize: "12px", lineHeight: "16px" },
      },
    }),
    Checkbox: of<CheckboxFactory>({
      defaultProps: { size: "xs" },
      styles: { label: { fontSize: "13px", lineHeight: "20px" }, body: { alignItems: "baseline" }, inner: { top: 3 } },
    }),
    Kbd: of<KbdFactory>({ defaultProps: { size: "xs" } }),
    Menu: of<MenuFactory>({ defaultProps: { shadow: "pop", transitionProps: { duration: 120 } } }),
    Modal: of<ModalFactory>({
      defaultProps: {
        radius: "lg",
        centered: true,
        transitionProps: { duration: 120 },
        overlayProps: { backgroundOpacity: 0.25 },
        closeButtonProps: { "aria-label": "Close" },
      },
      styles: {
        content: { background: "var(--panel)" },
        header: { background: "var(--panel)" },
        title: { fontWeight: 600 },
      },
    }),
    NavLink: of<NavLinkFactory>({ defaultProps: { variant: "subtle" } }),
    Tooltip: of<TooltipFactory>({
      defaultProps: { openDelay: 300, transitionProps: { duration: 120 }, color: "dark" },
    }),
    Alert: of<AlertFactory>({ defaultProps: { radius: "md" } }),
    Loader: of<LoaderFactory>({ defaultProps: { color: "gray.6", size: "xs", type: "dots" } }),
  },
  shadows: {
    xs: "var(--shadow)",
    sm: "var(--shadow)",
    md: "var(--pop)",
    lg: "var(--pop)",
    xl: "var(--pop)",
    pop: "var(--pop)",
  },
});

/** Mantine's own names said in ours, so that its components follow both schemes. */
const shared = {
  "--mantine-color-body": "var(--canvas)",
  "--mantine-color-text": "var(--ink)",
  "--mantine-color-dimmed": "var(--ink3)",
  "--mantine-color-placeholder": "var(--ink3)",
  "--mantine-color-anchor": "var(--accent)",
  "--mantine-color-error": "var(--bad)",
  "--mantine-color-default": "var(--panel)",
  "--mantine-color-default-hover": "var(--sunken)",
  "--mantine-color-default-color": "var(--ink)",
  "--mantine-color-default-border": "var(--line2)",
};

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {
    "--sans": '"Inter Variable", system-ui, sans-serif',
    "--mono": '"Geist Mono Variable", ui-monospace, monospace',
  },
  light: { ...light, ...shared, "--btn-hover": tuples.gray[8] },
  dark: { ...darkScheme, ...shared, "--btn-hover": "#FFFFFF" },
});
