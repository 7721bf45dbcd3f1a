/* A browser that cannot do what a meeting needs. */

import { useTranslation } from "react-i18next";
import { Notice } from "../parts/Notice";
import { Page } from "../parts/Page";

export function TooOld() {
  const { t } = useTranslation();
  return (
    <Page title={t("old.title")} easy>
      <Notice kind="danger" title={t("old.title")}>
        <p className="kern-body">{t("old.text")}</p>
      </Notice>
    </Page>
  );
}
