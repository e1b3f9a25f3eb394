import { useId, useSyncExternalStore } from "react";

const MODES = ["off", "plan", "analyze"] as const;

/** How the next operation is explained. */
export type Mode = (typeof MODES)[number];

const MEANINGS: Readonly<Record<Mode, string>> = {
  off: "Only the answer.",
  plan: "What would be asked, without asking anybody.",
  analyze: "The answer, and what was asked for it.",
};

/** The choice: the control changes it, the fetcher reads it. */
export class ModeChoice {
  #mode: Mode = "off";
  readonly #listeners = new Set<() => void>();

  get = (): Mode => this.#mode;

  set(mode: Mode) {
    this.#mode = mode;
    for (const listener of this.#listeners) listener();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

/** Three radio buttons: arrow keys go from one to the next. */
export function ModeControl({ choice }: { choice: ModeChoice }) {
  const chosen = useSyncExternalStore(choice.subscribe, choice.get);
  const name = useId();
  return (
    <fieldset className="explain-mode">
      <legend>Explain</legend>
      {MODES.map((mode) => (
        <label key={mode} title={MEANINGS[mode]}>
          <input
            type="radio"
            name={name}
            value={mode}
            checked={mode === chosen}
            onChange={() => {
              choice.set(mode);
            }}
          />
          {mode}
        </label>
      ))}
    </fieldset>
  );
}
