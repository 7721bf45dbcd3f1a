/* A browser that has no sound and pictures, or has them switched off. One that is too old for these
   scripts as well gets the words of parts/old.html. */

import { useTranslation } from "react-i18next";
import { Page, useHouse } from "../parts/Page";

export function TooOld() {
  const { t } = useTranslation();
  const house = useHouse();
  return (
    <Page title={t("old.title")} easy>
      <div role="alert">
        <p className="kern-body">{t("old.text")}</p>
        <ul>
          <li className="kern-body">{t("old.update")}</li>
          <li className="kern-body">{t("old.other")}</li>
          <li className="kern-body">{t(house?.imprint ? "old.imprint" : "old.call")}</li>
        </ul>
      </div>
    </Page>
  );
}
