/* A good link to a meeting that nobody can enter right now: why, and from when on. */

import { useTranslation } from "react-i18next";
import type { Look } from "../api/types";
import { Button } from "../parts/Button";
import { Page } from "../parts/Page";
import { useMoment } from "../parts/moment";

interface Props {
  look: Look;
  onAgain: () => void;
}

export function Closed({ look, onAgain }: Props) {
  const { t } = useTranslation();
  const moment = useMoment();
  const { state } = look;
  if (state === "open") return null;
  return (
    <Page title={look.title || t("room.untitled")} easy>
      <h2 className="kern-heading-medium">{t(`closed.${state}.title`)}</h2>
      <p className="kern-body" role="status">
        {t(`closed.${state}.text`, { opens: moment(look.opens), closes: moment(look.closes) })}
      </p>
      {state !== "over" && state !== "ended" && (
        <div className="buttons">
          <Button onPress={onAgain}>{t("again")}</Button>
        </div>
      )}
    </Page>
  );
}
