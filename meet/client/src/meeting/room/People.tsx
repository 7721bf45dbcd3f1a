/* Who is here, who asks to speak, who waits; and for moderators what concerns everybody. */

import type { Participant } from "livekit-client";
import { useTranslation } from "react-i18next";
import type { Lobby } from "../../api/types";
import { Button } from "../../parts/Button";
import { useDesk } from "./context";
import { LobbyList } from "./LobbyList";
import { Panel } from "./Panel";
import { Person } from "./Person";
import { handsInOrder, mayAllow, maySend } from "./person";
import { useSpeakingTimes } from "./speaking";

interface Props {
  people: Participant[];
  lobby: Lobby;
  onClose: () => void;
}

export function People({ people, lobby, onClose }: Props) {
  const { t } = useTranslation();
  const { seat, policy, moderates, ask } = useDesk();
  const silenced = lobby.silenced.includes("microphone");
  const hands = handsInOrder(people);
  const times = useSpeakingTimes();
  return (
    <Panel title={t("people.title", { number: people.length })} onClose={onClose}>
      <div className="panel__list">
        {moderates && <LobbyList waiting={lobby.waiting} />}
        {moderates && (
          <section className="panel__part" aria-labelledby="everybody">
            <h3 className="kern-title" id="everybody">
              {t("people.everybody")}
            </h3>
            <div className="buttons">
              <Button small kind="secondary" onPress={() => { ask(seat.mute("all", "microphone", false)); }}>
                {t("people.muteAll")}
              </Button>
              <Button
                small
                kind="secondary"
                onPress={() => {
                  ask(silenced ? seat.allow("all", "microphone") : seat.mute("all", "microphone", true));
                }}
              >
                {t(silenced ? "people.allowAll" : "people.muteAllLasting")}
              </Button>
              <Button small kind="secondary" onPress={() => { ask(seat.lock(!lobby.locked)); }}>
                {t(lobby.locked ? "people.unlock" : "people.lock")}
              </Button>
            </div>
          </section>
        )}
        {hands.length > 0 && (
          <section className="panel__part" aria-labelledby="hands">
            <h3 className="kern-title" id="hands">
              {t("people.hands")}
            </h3>
            <ol className="hands">
              {hands.map((one) => (
                <li key={one.identity}>
                  <span>{one.name}</span>
                  {moderates && mayAllow(policy, "microphone") && !maySend(one, "microphone") && (
                    <Button
                      small
                      name={t("people.floorName", { name: one.name ?? "" })}
                      onPress={() => { ask(seat.allow(one.identity, "microphone")); }}
                    >
                      {t("people.floor")}
                    </Button>
                  )}
                  {moderates && (
                    <Button
                      small
                      kind="secondary"
                      name={t("people.lowerName", { name: one.name ?? "" })}
                      onPress={() => { ask(seat.lower(one.identity)); }}
                    >
                      {t("people.lower")}
                    </Button>
                  )}
                </li>
              ))}
            </ol>
            {moderates && (
              <Button small kind="tertiary" onPress={() => { ask(seat.lower("all")); }}>
                {t("people.lowerAll")}
              </Button>
            )}
          </section>
        )}
        <section className="panel__part" aria-labelledby="here">
          <h3 className="kern-title" id="here">
            {t("people.here")}
          </h3>
          <ul className="people">
            {people.map((one) => (
              <Person key={one.identity} person={one} spoke={times.get(one.identity) ?? 0} />
            ))}
          </ul>
        </section>
      </div>
    </Panel>
  );
}
