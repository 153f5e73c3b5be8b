// Drives the viewer as a hand would, one step a frame, and tells how even the frames came.
window.viewerProbe = (() => {
  const find = (node) => {
    for (const element of node.querySelectorAll("*")) {
      if (element.imageViewer) return element.imageViewer;
      const found = element.shadowRoot && find(element.shadowRoot);
      if (found) return found;
    }
    return null;
  };
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const wave = (i) => Math.sin(i / 7);

  // What each change does in its i-th step.
  const changes = (viewer) => {
    const field = [...viewer.layers.settings.values()].find(({ layer }) => layer.kind === "field");
    const map = [...viewer.layers.settings.values()].find(({ layer }) => layer.kind === "map");
    const active = (act) => viewer.onActive(act);
    const middle = ({ view }, factor) => view.zoomAt(view.stageWidth / 2, view.stageHeight / 2, factor);
    return {
      zoom: (i) => active((view) => middle({ view }, i % 60 < 30 ? 1.05 : 1 / 1.05)),
      "pan, zoomed in": (i) => {
        if (i === 0) active((view) => middle({ view }, 4));
        active((view) => view.panBy(9 * wave(i), 6 * wave(i + 5)));
      },
      opacity: (i) => viewer.layers.set(field, { opacity: 0.5 + 0.4 * wave(i) }),
      "threshold, coloured": (i) => viewer.layers.set(field, { isOutline: false, threshold: 0.5 + 0.45 * wave(i) }),
      "threshold, outlined": (i) => viewer.layers.set(field, { isOutline: true, threshold: 0.5 + 0.45 * wave(i) }),
      "a map on and off": (i) => viewer.layers.set(map, { isShown: i % 2 === 0 }),
      "all layers, zoom": (i) => {
        if (i === 0)
          for (const setting of viewer.layers.settings.values()) viewer.layers.set(setting, { isShown: true });
        active((view) => middle({ view }, i % 60 < 30 ? 1.05 : 1 / 1.05));
      },
      "all layers, divider": (i) => {
        if (i === 0) viewer.look("swipe");
        viewer.panes[0].splitAt(0.5 + 0.45 * wave(i));
      },
      "two images, zoom": (i) => {
        if (i === 0) viewer.look("two");
        active((view) => middle({ view }, i % 60 < 30 ? 1.05 : 1 / 1.05));
      },
      "all images, zoom": (i) => {
        if (i === 0) viewer.look("all");
        active((view) => middle({ view }, i % 60 < 30 ? 1.05 : 1 / 1.05));
      },
    };
  };

  return {
    isReady: () => {
      const viewer = find(document);
      return Boolean(
        viewer?.images.all.every((image) => image.isLoaded && (image.width <= 512 || image.steps.length > 1)),
      );
    },

    // Frames that nothing changes in: what the machine itself can do.
    async measure(name, steps) {
      const viewer = find(document);
      const step = name === "nothing" ? () => {} : changes(viewer)[name];
      const longTasks = [];
      const observer = new PerformanceObserver((list) =>
        longTasks.push(...list.getEntries().map((entry) => entry.duration)),
      );
      step(0);
      await new Promise((done) => setTimeout(done, 400));
      observer.observe({ entryTypes: ["longtask"] });
      const gaps = [];
      let last = await frame();
      for (let i = 1; i <= steps; i++) {
        step(i);
        const now = await frame();
        gaps.push(now - last);
        last = now;
      }
      await new Promise((done) => setTimeout(done, 200));
      observer.disconnect();
      viewer.look("one");
      viewer.fit();
      return { gaps, longTasks };
    },

    names: () => ["nothing", ...Object.keys(changes(find(document)))],
  };
})();
