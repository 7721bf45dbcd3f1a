/* A browser that has no sound and pictures, or has them switched off. One that is too old for these
   scripts as well gets the words of parts/old.html. */

import { useTranslation } from "react-i18next";
import { Notice } from "../parts/Notice";
import { Page, useHouse } from "../parts/Page";

export function TooOld() {
  const { t } = useTranslation();
  const house = useHouse();
  return (
    <Page title={t("old.title")} easy>
      <Notice kind="danger" title={t("old.title")}>
        <p className="kern-body">{t("old.text")}</p>
        <ul>
          <li className="kern-body">{t("old.update")}</li>
          <li className="kern-body">{t("old.other")}</li>
          <li className="kern-body">{t(house?.imprint ? "old.imprint" : "old.call")}</li>
        </ul>
      </Notice>
    </Page>
  );
}
