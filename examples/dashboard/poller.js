/** Doing something again and again, while somebody looks. */

const LONGEST_SECONDS = 30;

/**
 * @typedef {{paused: boolean, failures: number, nextAt: number | null}} PollerState
 *   `nextAt` in milliseconds since the epoch; null while it is under way, or will not happen
 */

/** One at a time; never in a hidden tab; after failures ever more rarely. */
export class Poller {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #paused = false;
  #underWay = false;
  #onceMore = false;
  #failures = 0;
  /** @type {number | null} */
  #nextAt = null;

  /**
   * @param {() => Promise<boolean>} work tells whether it went well
   * @param {{seconds: number, changed?: () => void}} how often; told when the state has changed
   */
  constructor(work, { seconds, changed = () => undefined }) {
    this.work = work;
    this.seconds = seconds;
    this.changed = changed;
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#wait(null);
      else if (!this.#paused) this.now();
    });
  }

  /** @returns {PollerState} */
  get state() {
    return { paused: this.#paused, failures: this.#failures, nextAt: this.#nextAt };
  }

  /** @param {boolean} paused */
  set paused(paused) {
    this.#paused = paused;
    if (paused) this.#wait(null);
    else this.now();
  }

  /** At once, paused or not; once more when it is under way. */
  now() {
    if (this.#underWay) this.#onceMore = true;
    else void this.#run();
  }

  async #run() {
    this.#underWay = true;
    this.#onceMore = false;
    this.#wait(null);
    const well = await this.work();
    this.#underWay = false;
    this.#failures = well ? 0 : this.#failures + 1;
    if (this.#isWantedAgain()) this.now();
    else if (!this.#paused && !document.hidden) this.#wait(this.#pause());
    else this.changed();
  }

  #isWantedAgain() {
    return this.#onceMore;
  }

  #pause() {
    return Math.min(LONGEST_SECONDS, this.seconds * 2 ** Math.min(this.#failures, 10));
  }

  /** @param {number | null} seconds */
  #wait(seconds) {
    clearTimeout(this.#timer);
    this.#nextAt = seconds === null ? null : Date.now() + seconds * 1000;
    if (seconds !== null) this.#timer = setTimeout(() => { this.now(); }, seconds * 1000);
    this.changed();
  }
}
