/* Keys of one letter, and the dialog that names them and switches them off (WCAG 2.1.4). */

import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Dialog } from "../../parts/Dialog";
import { Tick } from "../../parts/Field";
import { keep, kept } from "../../parts/kept";
import { useDesk } from "./context";
import type { Announced } from "./speaker";

const LETTERS = {
  microphone: "m",
  camera: "v",
  screen: "b",
  hand: "h",
  people: "p",
  chat: "n",
  text: "t",
  view: "a",
  help: "?",
} as const;

export type Action = keyof typeof LETTERS;
type Actions = Partial<Record<Action, () => void>>;

export interface Keys {
  on: boolean;
  setOn: (on: boolean) => void;
  /** What further letters do, until the next call. */
  bind: (actions: Actions) => void;
}

/** A letter counts only where nobody is writing, and no dialog is open. */
function elsewhere(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.matches("input, textarea, select") || target.closest("dialog") !== null)
  );
}

export function useShortcuts(actions: Actions): Keys {
  const [on, setOn] = useState(() => kept("keys") !== "off");
  const first = useRef(actions);
  const further = useRef<Actions>({});
  useEffect(() => {
    first.current = actions;
  });
  useEffect(() => {
    if (!on) return;
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
      if (elsewhere(event.target)) return;
      for (const [action, letter] of Object.entries(LETTERS) as [Action, string][]) {
        if (event.key.toLowerCase() !== letter) continue;
        const run = first.current[action] ?? further.current[action];
        if (run) {
          event.preventDefault();
          run();
        }
      }
    };
    window.addEventListener("keydown", press);
    return () => {
      window.removeEventListener("keydown", press);
    };
  }, [on]);
  const [bind] = useState(() => (found: Actions) => {
    further.current = found;
  });
  return {
    on,
    setOn: (value) => {
      keep("keys", value ? "on" : "off");
      setOn(value);
    },
    bind,
  };
}

interface Props {
  keys: Keys;
  announced: Announced;
  onClose: () => void;
}

export function Shortcuts({ keys, announced, onClose }: Props) {
  const { t } = useTranslation();
  const { policy } = useDesk();
  const off: Action[] = [];
  if (!policy.chat) off.push("chat");
  if (!policy.live_text) off.push("text");
  const letters = (Object.entries(LETTERS) as [Action, string][]).filter(([one]) => !off.includes(one));
  return (
    <Dialog title={t("keys.title")} onClose={onClose}>
      <Tick label={t("keys.speakers")} value={announced.on} onChange={announced.set} />
      <Tick label={t("keys.on")} value={keys.on} onChange={keys.setOn} />
      <table className="kern-table">
        <tbody className="kern-table__body">
          {letters.map(([action, letter]) => (
            <tr key={action} className="kern-table__row">
              <th scope="row" className="kern-table__header">
                <kbd>{letter.toUpperCase()}</kbd>
              </th>
              <td className="kern-table__cell">{t(`keys.${action}`)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}
