/* The frame of every page but the room itself: the house's name above, its law below. */

import { createContext, useContext, useEffect, useState } from "react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { house } from "../api/calls";
import type { House } from "../api/types";
import { choose, LANGUAGES } from "../texts/language";
import type { Language } from "../texts/language";
import { Dialog } from "./Dialog";

const HouseContext = createContext<House | null>(null);

export const useHouse = (): House | null => useContext(HouseContext);

/** The house's colour as a line below its name: nothing has to be read on it. */
function paint(colour: string): void {
  if (/^#[0-9a-f]{6}$/i.test(colour)) {
    document.documentElement.style.setProperty("--house", colour);
  }
}

/** The logo as settings keep it, base64 of a PNG or an SVG picture, as an address. In an `img`
    an SVG runs no script. */
function picture(logo: string): string {
  if (logo.startsWith("data:") || logo.startsWith("/")) return logo;
  return `data:image/${logo.startsWith("iVBOR") ? "png" : "svg+xml"};base64,${logo}`;
}

/** Asks once who the house is. Without an answer pages go on under the product's name. */
export function HouseProvider({ children }: { children: ReactNode }) {
  const [found, setFound] = useState<House | null>(null);
  useEffect(() => {
    house().then(
      (one) => {
        setFound(one);
        paint(one.colour);
      },
      () => {
        setFound(null);
      },
    );
  }, []);
  return <HouseContext value={found}>{children}</HouseContext>;
}

interface Props {
  title: string;
  /** Easy German is written for the way into a meeting alone. */
  easy?: boolean;
  children: ReactNode;
}

export function Page({ title, easy = false, children }: Props) {
  const { t, i18n } = useTranslation();
  const found = useHouse();
  const name = found?.name ?? "Ratssaal";
  useEffect(() => {
    document.title = `${title} – ${name}`;
  }, [title, name]);
  return (
    <>
      <header className="top">
        <div className="kern-container">
          <p className="top__name">
            {found?.logo && <img className="top__logo" src={picture(found.logo)} alt="" />}
            {name}
          </p>
          <nav aria-label={t("language.choose")}>
            {LANGUAGES.filter((one) => easy || one !== "de-simple").map((one) => (
              <button
                key={one}
                type="button"
                lang={one}
                className="top__language"
                aria-current={i18n.language === one ? "true" : undefined}
                onClick={() => {
                  choose(one satisfies Language);
                }}
              >
                {t(`language.${one}`)}
              </button>
            ))}
          </nav>
        </div>
      </header>
      <main className="kern-container page">
        <h1 className="kern-heading-large" tabIndex={-1}>
          {title}
        </h1>
        {children}
      </main>
      <Law />
    </>
  );
}

type Text = "imprint" | "privacy";

/** Imprint and privacy of the house, each one press away from every page. */
function Law() {
  const { t } = useTranslation();
  const found = useHouse();
  const [shown, setShown] = useState<Text | null>(null);
  return (
    <footer className="kern-container bottom">
      {(["imprint", "privacy"] as const).map((one) => (
        <button
          key={one}
          type="button"
          className="kern-link bottom__link"
          onClick={() => {
            setShown(one);
          }}
        >
          {t(one)}
        </button>
      ))}
      {shown && (
        <Dialog
          title={t(shown)}
          onClose={() => {
            setShown(null);
          }}
        >
          <p className="kern-body lines">{found?.[shown] || t("noText")}</p>
        </Dialog>
      )}
    </footer>
  );
}
