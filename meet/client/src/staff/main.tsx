/* The page of those who book rooms, /rooms/. */

import "../parts/pages.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { HouseProvider } from "../parts/Page";
import { startLanguage } from "../texts/language";
import { Staff } from "./Staff";

const page = document.getElementById("page");
if (page) {
  void startLanguage().then(() => {
    createRoot(page).render(
      <StrictMode>
        <HouseProvider>
          <Staff />
        </HouseProvider>
      </StrictMode>,
    );
  });
}
