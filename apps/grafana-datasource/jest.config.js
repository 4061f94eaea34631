// Whatever the machine's zone is, a test means the same.
process.env.TZ = "UTC";

const scaffold = require("./.config/jest.config");

const [transform] = Object.values(scaffold.transform);

module.exports = {
  ...scaffold,
  // Of what Grafana's packages of 13.2.2 pull in, more is published as ES modules alone than the scaffold's list names: all
  // is transformed but what is CommonJS for certain.
  transform: { "\\.([cm]?[jt]s|[jt]sx)$": transform },
  transformIgnorePatterns: [
    "\\.cjs$",
    "/node_modules/(lodash|moment|moment-timezone|react|react-dom|scheduler|immutable)/",
  ],
  moduleFileExtensions: ["ts", "tsx", "js", "jsx", "mjs", "cjs", "json", "node"],
  moduleNameMapper: {
    ...scaffold.moduleNameMapper,
    // The code editor is none of ours and does not load without a browser.
    "^monaco-editor.*$": "<rootDir>/test/empty-module.js",
  },
  testMatch: ["<rootDir>/test/**/*.test.{ts,tsx}"],
};
