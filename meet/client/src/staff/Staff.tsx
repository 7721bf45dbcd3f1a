/* Rooms of the house: who is signed in, what is booked, and a form for one more. */

import { useCallback, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Refused, staff } from "../api/calls";
import type { Booking, Staff as Known } from "../api/types";
import { Button } from "../parts/Button";
import { Notice } from "../parts/Notice";
import { Page, useHouse } from "../parts/Page";
import { sentence } from "../parts/problem";
import { Book } from "./Book";
import { Rooms } from "./Rooms";
import { SignIn } from "./SignIn";

/** The same house, with nobody signed in. */
const nobody = (before: Known | null): Known => ({
  name: null,
  may_create: false,
  directory: before?.directory ?? null,
});

/** `refused`: why the directory did not sign somebody in, where a browser comes back from there. */
export function Staff({ refused }: { refused: string | null }) {
  const { t } = useTranslation();
  const house = useHouse();
  const [known, setKnown] = useState<Known | null>(null);
  const [rooms, setRooms] = useState<Booking[]>([]);
  const [fresh, setFresh] = useState<string | null>(null);
  const [problem, setProblem] = useState("");
  const [signsIn, setSignsIn] = useState(refused !== null);

  const fail = useCallback(
    (wrong: unknown) => {
      if (wrong instanceof Refused && wrong.key === "not_signed_in") {
        setKnown(nobody);
      } else {
        setProblem(sentence(t, wrong));
      }
    },
    [t],
  );
  useEffect(() => {
    staff.who().then(setKnown, fail);
  }, [fail]);
  const name = known?.name ?? null;
  useEffect(() => {
    if (name === null) return;
    staff.rooms().then((found) => {
      setRooms(found.rooms);
    }, fail);
  }, [name, fail]);

  function run(done: Promise<unknown>, then: () => void): void {
    setProblem("");
    done.then(then, fail);
  }

  const notice = problem && (
    <Notice kind="danger" title={t("staff.failed")}>
      <p className="kern-body">{problem}</p>
    </Notice>
  );
  if (known === null) {
    return (
      <Page title={t("staff.title")}>
        {notice || (
          <p className="kern-body" role="status">
            {t("look.wait")}
          </p>
        )}
      </Page>
    );
  }
  if (name === null && (!known.may_create || signsIn)) {
    return (
      <Page title={t("staff.signIn")}>
        <SignIn directory={known.directory} refused={refused} onSignedIn={setKnown} />
      </Page>
    );
  }
  return (
    <Page title={t("staff.title")}>
      {name !== null && (
        <div className="buttons">
          <p className="kern-body">{t("staff.signedIn", { name })}</p>
          <Button
            kind="tertiary"
            onPress={() => {
              run(staff.signOut(), () => {
                setRooms([]);
                setKnown(nobody);
              });
            }}
          >
            {t("staff.signOut")}
          </Button>
        </div>
      )}
      {name === null && (
        <div className="buttons">
          <Button kind="tertiary" onPress={() => { setSignsIn(true); }}>
            {t("staff.signIn")}
          </Button>
        </div>
      )}
      {notice}
      {house && known.may_create && (
        <Book
          house={house.policy}
          short={name === null}
          onBooked={(room) => {
            setFresh(room.id);
            setRooms([room, ...rooms]);
          }}
        />
      )}
      <Rooms
        rooms={rooms}
        fresh={fresh}
        signedIn={name !== null}
        onCancel={(id) => {
          run(staff.cancel(id), () => {
            setRooms(rooms.filter((one) => one.id !== id));
          });
        }}
      />
    </Page>
  );
}
