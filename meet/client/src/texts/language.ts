/* The languages of the pages: German first, English, and Easy German for the way in. */

import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { kept, keep } from "../parts/kept";
import easy from "./de-easy.json";
import de from "./de.json";
import en from "./en.json";

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof de };
  }
}

// Easy German is a variant of German in BCP 47 (Unicode's "simple"); what it lacks is said in German.
export const LANGUAGES = ["de", "en", "de-simple"] as const;
export type Language = (typeof LANGUAGES)[number];

/** The language that the person chose here before, or else the browser's. */
function first(): Language {
  const chosen = kept("language");
  const known = LANGUAGES.find((one) => one === chosen);
  return known ?? (navigator.language.startsWith("de") ? "de" : "en");
}

export function choose(language: Language): void {
  keep("language", language);
  void i18next.changeLanguage(language);
}

export async function startLanguage(): Promise<void> {
  i18next.on("languageChanged", (language) => {
    document.documentElement.lang = language;
  });
  await i18next.use(initReactI18next).init({
    resources: {
      de: { translation: de },
      en: { translation: en },
      "de-simple": { translation: easy },
    },
    lng: first(),
    fallbackLng: "de",
    interpolation: { escapeValue: false }, // React escapes all texts
  });
}
