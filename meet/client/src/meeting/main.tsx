/* The page of a meeting, /m/. */

import "../parts/pages.css";
import "./room/room.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { HouseProvider } from "../parts/Page";
import { startLanguage } from "../texts/language";
import { TooOld } from "./TooOld";
import { Visit } from "./Visit";

/** What a meeting cannot do without; a browser that lacks it gets a sentence instead. What these scripts
    themselves need, public/assets/old.js has looked for. */
const able = typeof RTCPeerConnection === "function" && "mediaDevices" in navigator;

const page = document.getElementById("page");
if (page) {
  void startLanguage().then(() => {
    createRoot(page).render(
      <StrictMode>
        <HouseProvider>{able ? <Visit /> : <TooOld />}</HouseProvider>
      </StrictMode>,
    );
  });
}
