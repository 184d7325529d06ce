import js from "@eslint/js";

const globals = { console: "readonly", process: "readonly" };
export default [js.configs.recommended, { languageOptions: { globals } }];
