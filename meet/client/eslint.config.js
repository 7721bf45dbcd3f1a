import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/"] },
  js.configs.recommended,
  {
    // For browsers that no other script of ours runs in.
    files: ["public/**/*.js"],
    languageOptions: {
      ecmaVersion: 5,
      sourceType: "script",
      globals: { AbortSignal: "readonly", document: "readonly", TextDecoderStream: "readonly" },
    },
  },
  {
    files: ["src/**/*.{ts,tsx}"],
    extends: [
      ...tseslint.configs.strictTypeChecked,
      a11y.flatConfigs.strict,
      hooks.configs.flat.recommended,
    ],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // Numbers and texts both have one way to be written; a cast says nothing more.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // An event of a form or a button starts what answers later; it ends in a state, never in a promise.
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
    },
  },
);
