import { pick, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect } from "react";

/** Recolour the editors when the system's theme changes; GraphiQL itself asks only once. */
export function SystemTheme() {
  const { theme } = useGraphiQL(pick("theme"));
  const { setTheme } = useGraphiQLActions();
  useEffect(() => {
    const isDark = window.matchMedia("(prefers-color-scheme: dark)");
    const follow = () => {
      setTheme(theme);
    };
    isDark.addEventListener("change", follow);
    return () => {
      isDark.removeEventListener("change", follow);
    };
  }, [theme, setTheme]);
  return null;
}
