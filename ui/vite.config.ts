import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [svelte()],
  clearScreen: false,
  server: { port: 1420, strictPort: true },
  // The webviews in use; WebKitGTK 2.40 and later is Safari 16's age.
  build: { target: ["safari16", "chrome111"], modulePreload: { polyfill: false } },
});
