// Runs in each page before its own scripts, and keeps what the browser says of its main thread. Plain JavaScript: it is
// read as it stands. All times are ms since the navigation began.
(() => {
  const recorder = {
    /** Tasks of more than 50 ms: {start, end}. */
    longTasks: [],
    /** Events of interactions that took 16 ms or more from the input to the next paint: {id, name, ms}. */
    events: [],
    /** When the page's scripts first answered a key; null before. */
    answeredAt: null,
    /** Longest time between two frames, and how many different moments of the fleet the page showed, since `watch`. */
    frames: { count: 0, longest: 0, over200: 0 },
    moments: new Set(),
    /** From now on each frame is looked at. */
    watch() {
      recorder.longTasks.length = 0;
      recorder.frames = { count: 0, longest: 0, over200: 0 };
      recorder.moments.clear();
      let last = performance.now();
      const look = (now) => {
        const gap = now - last;
        last = now;
        recorder.frames.count++;
        recorder.frames.longest = Math.max(recorder.frames.longest, gap);
        if (gap > 200) recorder.frames.over200++;
        const moment = document.querySelector("main time[datetime]");
        if (moment !== null) recorder.moments.add(moment.dateTime);
        requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    },
    /** What was seen, as `report` of page.ts has it. */
    report: () => ({
      longTasks: recorder.longTasks,
      events: recorder.events,
      answeredAt: recorder.answeredAt,
      paintedAt: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null,
      loadedAt: performance.getEntriesByType("navigation")[0].loadEventEnd,
      frames: recorder.frames,
      moments: recorder.moments.size,
    }),
    forget: () => {
      recorder.events.length = 0;
    },
    /** Whether a key was answered, and no long task began for this long since, ms. */
    isQuiet: (ms) =>
      recorder.answeredAt !== null &&
      performance.now() > ms + Math.max(recorder.answeredAt, ...recorder.longTasks.map((task) => task.end)),
    /** Until what was done is painted, and told: event timing is told when the thread is idle. */
    told: () =>
      new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 50)))),
    /** Scrolls the list to this share of its height. */
    scrollTo: (share) => {
      const scroller = document.querySelector("table[aria-rowcount]").parentElement;
      scroller.scrollTop = scroller.scrollHeight * share;
    },
    blur: () => document.activeElement.blur(),
  };
  window.lynceusRecorder = recorder;
  new PerformanceObserver((list) => {
    for (const task of list.getEntries())
      recorder.longTasks.push({ start: task.startTime, end: task.startTime + task.duration });
  }).observe({ type: "longtask", buffered: true });
  new PerformanceObserver((list) => {
    for (const event of list.getEntries())
      if (event.interactionId > 0)
        recorder.events.push({ id: event.interactionId, name: event.name, ms: event.duration });
  }).observe({ type: "event", durationThreshold: 16, buffered: true });

  // A key that a page answers without doing anything: `g` waits for a second letter, Escape has nothing to close.
  const ask = () => {
    for (const key of ["Escape", "g"]) {
      const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
      if (location.pathname === "/machines" && key === "g") continue;
      if (!window.dispatchEvent(event)) {
        recorder.answeredAt = performance.now();
        return;
      }
    }
    setTimeout(ask, 4);
  };
  ask();
})();
