// Watches a page with the mask editor from outside: when the pointer went up, when the answer to its save was there,
// and how long the page's own thread was away. Runs before anything of the page.
window.paintProbe = (() => {
  const plainFetch = window.fetch;
  const saves = [];
  let pointerUp = 0;
  let watching = null;

  addEventListener("pointerup", (event) => (pointerUp = event.timeStamp), true);

  window.fetch = async (url, options) => {
    const isSave = options?.method === "PUT" && String(url).includes("/colpo/annotations/");
    if (!isSave) return plainFetch(url, options);
    const up = pointerUp;
    const answer = await plainFetch(url, options);
    answer
      .clone()
      .arrayBuffer()
      .then(() => {
        saves.push({ ms: performance.now() - up, status: answer.status, body: options.body });
      });
    return answer;
  };

  return {
    saves,

    lastSave() {
      const { ms, status, body } = saves.at(-1);
      return { ms, status, bytes: body.length };
    },

    // The same bytes again, with nothing of the editor around them.
    async putBare(path, baseSeq) {
      const { body } = saves.at(-1);
      const start = performance.now();
      const answer = await plainFetch(`${path}?base_seq=${baseSeq}&strokes=1&active_ms=1`, {
        method: "PUT",
        body,
        headers: { "content-type": "application/octet-stream" },
      });
      await answer.arrayBuffer();
      return { ms: performance.now() - start, status: answer.status };
    },

    watch() {
      const seen = { longTasks: [], longestGap: 0, nFrames: 0 };
      const observer = new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) seen.longTasks.push(entry.duration);
      });
      observer.observe({ entryTypes: ["longtask"] });
      let last = performance.now();
      const frame = () => {
        const now = performance.now();
        seen.longestGap = Math.max(seen.longestGap, now - last);
        seen.nFrames += 1;
        last = now;
        watching.request = requestAnimationFrame(frame);
      };
      watching = { seen, observer, request: requestAnimationFrame(frame) };
    },

    watched() {
      for (const entry of watching.observer.takeRecords()) watching.seen.longTasks.push(entry.duration);
      watching.observer.disconnect();
      cancelAnimationFrame(watching.request);
      return watching.seen;
    },
  };
})();
