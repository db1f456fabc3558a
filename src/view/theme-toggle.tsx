/** As the system has it, light, dark: one button that goes round. */
import type { Theme } from "../page/preferences-store.ts";
import { usePreferences } from "./context.ts";
import { DarkThemeIcon, LightThemeIcon, SystemThemeIcon } from "./icons.tsx";

const NEXT: { readonly [theme in Theme]: Theme } = { system: "light", light: "dark", dark: "system" };
const ICONS = { system: SystemThemeIcon, light: LightThemeIcon, dark: DarkThemeIcon } as const;

export function ThemeToggle() {
  const theme = usePreferences((state) => state.theme);
  const setTheme = usePreferences((state) => state.setTheme);
  const Icon = ICONS[theme];
  const label = `Theme: ${theme}`;
  return (
    <button type="button" className="button button-icon" aria-label={label} title={label} onClick={() => setTheme(NEXT[theme])}>
      <Icon />
    </button>
  );
}
