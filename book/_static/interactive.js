// Figures with a slider. The data stands in the page; nothing is loaded.
(function () {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function shape(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function percent(share) {
    return `${Math.round(100 * share)} %`;
  }

  // ---- bars: the share and its interval ----

  function bars(data, rows) {
    const left = data.group ? 104 : 24, width = 460, right = 60, step = 34;
    const scale = (share) => left + share * (width - left - right);
    const image = shape("svg", {
      viewBox: `0 0 ${width} ${step * rows.length + 30}`, class: "bars", "aria-hidden": "true",
    });
    for (const share of [0, 0.5, 1]) {
      const x = scale(share), y = step * rows.length;
      image.append(shape("line", { x1: x, x2: x, y1: 0, y2: y + 5, class: "grid" }));
      image.append(shape("text", { x, y: y + 22, "text-anchor": "middle" }, percent(share)));
    }
    rows.forEach((row, index) => {
      const y = step * index + 6, middle = y + 11;
      image.append(shape("text", { x: left - 8, y: middle + 5, "text-anchor": "end" }, row.group));
      image.append(shape("rect", {
        x: left, y, width: Math.max(1, scale(row.share) - left), height: 22, class: "bar",
      }));
      image.append(shape("line", {
        x1: scale(row.low), x2: scale(row.high), y1: middle, y2: middle, class: "interval",
      }));
      for (const end of [row.low, row.high]) {
        const x = scale(end);
        image.append(shape("line", { x1: x, x2: x, y1: middle - 5, y2: middle + 5, class: "interval" }));
      }
      image.append(shape("text", { x: width - right + 12, y: middle + 5 }, percent(row.share)));
    });
    return image;
  }

  // ---- pictures: computed from the definition, at the slider's value ----

  function stripe(horizontal, background) {
    const side = 32, width = 3, first = 14, cell = 4;
    const canvas = element("canvas", { width: side * cell, height: side * cell, "aria-hidden": "true" });
    const pen = canvas.getContext("2d");
    // From −1 (black) to 2 (white): with an offset of up to one, all tones stay inside.
    const grey = (value) => Math.round(255 * (value + 1) / 3);
    const paint = (value, ...box) => {
      const tone = Math.min(255, Math.max(0, grey(value)));
      pen.fillStyle = `rgb(${tone}, ${tone}, ${tone})`;
      pen.fillRect(...box.map((number) => number * cell));
    };
    paint(background, 0, 0, side, side);
    const box = horizontal ? [0, first, side, width] : [first, 0, width, side];
    paint(1 + background, ...box);
    return canvas;
  }

  function stripes(a) {
    const figure = (canvas, words) =>
      element("figure", {}, canvas, element("figcaption", {}, words));
    return [
      figure(stripe(true, -a), "Trained on: horizontal, darker"),
      figure(stripe(false, a), "Trained on: vertical, brighter"),
      figure(stripe(true, a), "Conflict: horizontal, brighter"),
    ];
  }

  function hint(delta) {
    const image = shape("svg", { viewBox: "0 0 260 150", class: "hint", "aria-hidden": "true" });
    const height = Math.min(100, 1000 * delta * 100);
    for (let k = 0; k < 12; k += 1) {
      const odd = k % 2 === 1, x = 14 + 21 * k, y = 125 - (odd ? height : 0);
      image.append(odd
        ? shape("rect", { x: x - 5, y: y - 5, width: 10, height: 10, class: "odd" })
        : shape("circle", { cx: x, cy: y, r: 5, class: "even" }));
    }
    return [element("figure", {}, image, element("figcaption", {},
      "Across: where the oscillation says 0 (circles) or 1 (squares). Up: the hint, a thousand times enlarged" +
      (1000 * delta > 1 ? ", cut off" : "")))];
  }

  const PICTURES = { stripes, hint };

  // ---- the widget ----

  function build(box) {
    const data = JSON.parse(box.querySelector("script").textContent);
    const values = [...new Set(data.rows.map((row) => row.at))].sort((a, b) => a - b);
    const name = `slider-${box.dataset.figure}`;
    const slider = element("input", {
      type: "range", min: 0, max: values.length - 1, step: 1, id: name,
      value: Math.floor(values.length / 2),
    });
    const output = element("output", { for: name });
    const pictures = element("div", { class: "pictures" });
    const chart = element("div", { class: "chart" });
    const spoken = element("p", { class: "spoken", "aria-live": "polite" });
    function draw() {
      const at = values[Number(slider.value)];
      const rows = data.rows.filter((row) => row.at === at);
      output.textContent = String(at);
      slider.setAttribute("aria-valuetext", `${data.label} ${at}`);
      pictures.replaceChildren(...PICTURES[data.picture](at));
      chart.replaceChildren(element("p", { "aria-hidden": "true" }, data.reading), bars(data, rows));
      spoken.textContent = `${data.reading}: ` +
        rows.map((row) => `${row.group} ${percent(row.share)}`.trim()).join(", ") + ".";
    }
    slider.addEventListener("input", draw);
    box.append(
      element("p", { class: "explanation" }, data.explanation),
      element("div", { class: "control" },
        element("label", { for: name }, data.label), slider, output),
      element("div", { class: "shown" }, pictures, chart),
      spoken,
    );
    box.hidden = false;
    draw();
  }

  function start() {
    document.querySelectorAll("div.interactive").forEach(build);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
