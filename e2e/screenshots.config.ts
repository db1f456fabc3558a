/** `npm run screenshots`: not tests, but pictures of each state of the page, for people to look at. */
import { defineConfig } from "@playwright/test";
import suite from "./playwright.config.ts";

export default defineConfig({ ...suite, testMatch: /pictures\.ts$/, reporter: "list", retries: 0 });
