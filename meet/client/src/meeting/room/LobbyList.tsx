/* Those who wait before the door: admit or decline one or all. */

import { useTranslation } from "react-i18next";
import type { Waiter } from "../../api/types";
import { Button } from "../../parts/Button";
import { useDesk } from "./context";

export function LobbyList({ waiting }: { waiting: Waiter[] }) {
  const { t } = useTranslation();
  const { seat, ask } = useDesk();
  return (
    <section className="panel__part" aria-labelledby="lobby">
      <h3 className="kern-title" id="lobby">
        {t("lobby.title", { number: waiting.length })}
      </h3>
      {waiting.length === 0 && <p className="kern-body">{t("lobby.empty")}</p>}
      <ul className="people">
        {waiting.map((one) => (
          <li key={one.id} className="person">
            <span className="person__name">{one.name}</span>
            <span className="buttons">
              <Button
                small
                name={t("lobby.admitName", { name: one.name })}
                onPress={() => { ask(seat.admit([one.id])); }}
              >
                {t("lobby.admit")}
              </Button>
              <Button
                small
                kind="secondary"
                name={t("lobby.declineName", { name: one.name })}
                onPress={() => { ask(seat.decline([one.id])); }}
              >
                {t("lobby.decline")}
              </Button>
            </span>
          </li>
        ))}
      </ul>
      {waiting.length > 1 && (
        <div className="buttons">
          <Button small onPress={() => { ask(seat.admit("all")); }}>
            {t("lobby.admitAll")}
          </Button>
          <Button small kind="secondary" onPress={() => { ask(seat.decline("all")); }}>
            {t("lobby.declineAll")}
          </Button>
        </div>
      )}
    </section>
  );
}
