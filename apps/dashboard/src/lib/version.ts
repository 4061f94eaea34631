import about from "../../package.json" with { type: "json" };

/** Of this installation: its agent's installers carry the same number in their names. */
export const version: string = about.version;
