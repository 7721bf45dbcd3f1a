/* A moderator leaves: alone, or everybody with them. */

import { useTranslation } from "react-i18next";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";

interface Props {
  onClose: () => void;
  onLeave: () => void;
  onEnd: () => void;
}

export function LeaveDialog({ onClose, onLeave, onEnd }: Props) {
  const { t } = useTranslation();
  return (
    <Dialog
      title={t("leave.title")}
      onClose={onClose}
      footer={
        <>
          <Button kind="tertiary" onPress={onClose}>
            {t("leave.stay")}
          </Button>
          <Button kind="secondary" onPress={onEnd}>
            {t("leave.end")}
          </Button>
          <Button onPress={onLeave}>{t("leave.alone")}</Button>
        </>
      }
    >
      <p className="kern-body">{t("leave.text")}</p>
    </Dialog>
  );
}
