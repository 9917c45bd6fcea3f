import { mount } from "svelte";

import App from "./App.svelte";
import "./style.css";

// In development every screen can be looked at without an agent: /?fake=key. None of it is built into the page.
if (import.meta.env.DEV) {
  const scene = new URLSearchParams(location.search).get("fake");
  if (scene !== null) (await import("./fake/fake")).play(scene);
}

const target = document.getElementById("app");
if (target) mount(App, { target });
