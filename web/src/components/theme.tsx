import { useEffect, useState } from 'react';

const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const SIGNS: Readonly<Record<Theme, string>> = { auto: '◐', light: '☀', dark: '☾' };
const KEY = 'weir.theme';

/** Goes through the system's theme, light and dark; the choice stays in this browser. */
export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(stored);
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    try {
      window.localStorage.setItem(KEY, theme);
    } catch {
      // Storage may be switched off: the choice then lasts as long as the page.
    }
  }, [theme]);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
  return (
    <button
      type="button"
      className="tool"
      aria-label={`Theme: ${theme}`}
      title={`Theme: ${theme}; click for ${next}`}
      onClick={() => setTheme(next)}
    >
      {SIGNS[theme]}
    </button>
  );
}

function stored(): Theme {
  try {
    return THEMES.find((theme) => theme === window.localStorage.getItem(KEY)) ?? 'auto';
  } catch {
    return 'auto';
  }
}
