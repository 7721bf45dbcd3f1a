/* The page of those who book rooms, /rooms/. */

import "../parts/pages.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { HouseProvider } from "../parts/Page";
import { startLanguage } from "../texts/language";
import { Staff } from "./Staff";

/** Why the directory did not sign somebody in; the word is taken out of the address. */
function takeRefused(): string | null {
  const refused = new URLSearchParams(location.hash.slice(1)).get("refused");
  if (refused !== null) history.replaceState(null, "", location.pathname);
  return refused;
}

const refused = takeRefused();
const page = document.getElementById("page");
if (page) {
  void startLanguage().then(() => {
    createRoot(page).render(
      <StrictMode>
        <HouseProvider>
          <Staff refused={refused} />
        </HouseProvider>
      </StrictMode>,
    );
  });
}
