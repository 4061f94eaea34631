import { createSpotlight } from "@mantine/spotlight";

/** Opens and closes the go-to palette, also before it is loaded. */
export const [paletteStore, palette] = createSpotlight();
