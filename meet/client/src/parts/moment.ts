/* Days and times as people of the language write them. */

import { useTranslation } from "react-i18next";

/** A function that writes an ISO 8601 time, or nothing for none. */
export function useMoment(): (iso: string | null) => string {
  const { i18n } = useTranslation();
  const language = i18n.language === "en" ? "en-GB" : "de-DE";
  const format = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" });
  return (iso) => (iso ? format.format(new Date(iso)) : "");
}
