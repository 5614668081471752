// A picture with a stripe that the reader makes, and what stored networks say of it: `networks.js`
// computes. Nothing is loaded before the picture is used. Every stripe can be made from the
// keyboard; drawing by hand is for a pointer.
(() => {
  "use strict";

  const root = document.documentElement.dataset.content_root || "./";
  const WORDS = ["vertical", "horizontal"];  // by label
  const SAME = 1e-9;  // sums that differ by less differ by rounding

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
  const listed = (words) => words.join(", ").replace(/, ([^,]*)$/, " and $1");
  const most = (image) => image.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const sum = (a, b) => a.map((value, i) => value + b[i]);

  // ---- the problem: what the two structures say, as labels ----

  // The largest sum of `width` adjacent rows, or columns.
  function largestBand(image, { size, width }, ofRows) {
    const sums = new Float64Array(size);
    image.forEach((value, i) => { sums[ofRows ? Math.floor(i / size) : i % size] += value; });
    const bands = Array.from({ length: size - width + 1 }, (_, k) =>
      sums.subarray(k, k + width).reduce((a, b) => a + b, 0));
    return Math.max(...bands);
  }

  const direction = (image, problem) =>
    Number(largestBand(image, problem, true) - largestBand(image, problem, false) > SAME);

  // null where it is neither darker nor brighter than without any offset.
  function brightness(image, { size, width }) {
    const over = image.reduce((a, b) => a + b, 0) / image.length - width / size;
    return Math.abs(over) < SAME ? null : Number(over < 0);
  }

  // Noise of standard deviation 1 that adds nothing to the sum; always the same.
  function grain(count) {
    let state = 1;
    const uniform = () => (state = (state * 48271) % 2147483647) / 2147483647;
    const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const values = Float64Array.from({ length: count }, normal);
    const middle = values.reduce((a, b) => a + b, 0) / count;
    return values.map((value) => value - middle);
  }

  // ---- pictures ----

  // Tones from `low`, black, to `high`, white.
  function paint(canvas, image, low, high) {
    const pen = canvas.getContext("2d"), data = pen.createImageData(canvas.width, canvas.height);
    image.forEach((value, i) => {
      const tone = Math.round(255 * (value - low) / (high - low));
      data.data.set([tone, tone, tone, 255], 4 * i);
    });
    pen.putImageData(data, 0, 0);
  }

  const show = (canvas, image) => paint(canvas, image, -0.6, 1.4);

  // ---- the box ----

  class Live {
    constructor(box) {
      this.box = box;
      this.about = JSON.parse(box.querySelector("script").textContent);
      this.problem = this.about.problem;
      this.count = this.problem.size ** 2;
      this.grain = grain(this.count);
      this.name = box.dataset.networks;
      this.networks = null;
      this.fooled = null;  // the network whose smallest change is shown
      this.clear(true);
      box.append(...this.intro(), this.controls(), this.shown(), this.table(), this.said());
      box.hidden = false;
      this.draw();
    }

    // -- what the reader sets --

    intro() {
      const title = element("p", { class: "title", id: `live-${this.name}` }, "Ask them yourself");
      this.box.setAttribute("role", "group");
      this.box.setAttribute("aria-labelledby", title.id);
      return [title, element("p", {}, "Make a stripe, or draw one, and see what one network of each " +
        "kind says. They were trained on stripes like those above, horizontal ones darker by " +
        `${this.about.offset} and vertical ones brighter. When direction and brightness part, the answer tells ` +
        "which of the two a network follows.")];
    }

    slider(label, key, { min, max, step, value, told }) {
      const id = `live-${this.name}-${key}`;
      const input = element("input", { type: "range", id, min, max, step, value });
      const output = element("output", { for: id });
      const tell = () => {
        output.textContent = told(Number(input.value));
        input.setAttribute("aria-valuetext", output.textContent);
      };
      input.addEventListener("input", () => { tell(); this.changed(key); });
      tell();
      this[key] = input;
      return element("div", { class: "control" }, element("label", { for: id }, label), input, output);
    }

    directions() {
      const choices = [...WORDS].reverse().map((word) => {
        const input = element("input", { type: "radio", name: `live-${this.name}`, value: word });
        input.checked = word === "horizontal";
        input.addEventListener("change", () => this.changed("direction"));
        return element("label", {}, input, word);
      });
      return element("fieldset", {}, element("legend", {}, "Direction"), ...choices);
    }

    controls() {
      const last = this.problem.size - this.problem.width;
      const button = (words, press) => {
        const made = element("button", { type: "button" }, words);
        made.addEventListener("click", press);
        return made;
      };
      const size = Math.round(this.about.bytes / 1000);
      this.ask = button(`Ask the networks (loads ${size} kB)`, () => {
        this.load();
        this.status.focus({ preventScroll: true });  // the button is gone
      });
      return element("div", { class: "controls" }, this.directions(),
        this.slider("Place", "place", {
          min: 0, max: last, step: 1, value: Math.floor(last / 2), told: (value) => String(value + 1),
        }),
        this.slider("Brightness", "offset", {
          min: -0.2, max: 0.2, step: 0.01, value: this.about.offset, told: signed,
        }),
        this.slider("Noise", "noise", {
          min: 0, max: 0.5, step: 0.05, value: 0, told: (value) => value.toFixed(2),
        }),
        element("div", { class: "buttons" }, this.ask,
          button("Empty picture", () => { this.clear(false); this.changed(); })));
    }

    clear(stripe) {
      this.stripe = stripe;
      this.drawn = new Float64Array(this.count);
    }

    // A control was used; direction and place bring the stripe back and take away what was drawn.
    changed(key) {
      if (key === "direction" || key === "place") this.clear(true);
      this.fooled = null;
      this.load();
      this.later();
    }

    horizontal() {
      return this.box.querySelector("input[type=radio]:checked").value === "horizontal";
    }

    picture() {
      const { size, width } = this.problem, first = Number(this.place.value);
      const horizontal = this.horizontal(), offset = Number(this.offset.value);
      const noise = Number(this.noise.value);
      return Float64Array.from(this.drawn, (drawn, i) => {
        const line = horizontal ? Math.floor(i / size) : i % size;
        const stripe = this.stripe && line >= first && line < first + width;
        return Math.max(drawn, Number(stripe)) + offset + noise * this.grain[i];
      });
    }

    // -- drawing by hand: as wide as a stripe --

    drawable(canvas) {
      const { size, width } = this.problem;
      const dab = (event) => {
        const box = canvas.getBoundingClientRect();
        const x = Math.floor(size * (event.clientX - box.left) / box.width);
        const y = Math.floor(size * (event.clientY - box.top) / box.height);
        const from = -Math.floor(width / 2);
        for (let k = 0; k < width * width; k += 1) {
          const down = y + from + Math.floor(k / width), right = x + from + (k % width);
          if (down >= 0 && down < size && right >= 0 && right < size) this.drawn[down * size + right] = 1;
        }
        this.changed();
      };
      canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        dab(event);
      });
      canvas.addEventListener("pointermove", (event) => { if (event.buttons) dab(event); });
    }

    // -- what is shown --

    frame(drawable) {
      const { size } = this.problem;
      const canvas = element("canvas", { width: size, height: size, role: "img" });
      if (drawable) this.drawable(canvas);
      const caption = element("figcaption", {});
      return { canvas, caption, figure: element("figure", {}, canvas, caption) };
    }

    shown() {
      [this.own, this.change, this.after] = [true, false, false].map((own) => this.frame(own));
      this.own.canvas.classList.add("own");
      this.own.caption.textContent = "Your picture: draw on it";
      return element("div", { class: "pictures" },
        ...[this.own, this.change, this.after].map(({ figure }) => figure));
    }

    table() {
      this.rows = this.about.networks.map((network) => {
        const share = `${network.colour} of ${this.about.conflicts}`;
        const answer = element("td"), sides = element("td"), last = element("td");
        const button = element("button", { type: "button" }, "Show");
        button.append(element("span", { class: "unseen" }, ` the smallest change for ${network.name}`));
        button.addEventListener("click", () => this.fool(network.name));
        const isDense = networks.isDense(network);
        last.append(isDense ? button : "–");
        const row = element("tr", {}, element("th", { scope: "row" }, network.name), answer, sides,
          element("td", {}, share), last);
        return { name: network.name, row, answer, sides };
      });
      const heads = ["network", "says", "goes with", "by brightness", "smallest change"];
      return element("table", {},
        element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
        element("tbody", {}, ...this.rows.map(({ row }) => row)));
    }

    said() {
      this.status = element("p", { class: "status", role: "status", tabindex: -1 });
      const note = element("p", { class: "note" }, "By brightness: so many of the pictures with the other direction's " +
        "brightness a network reads by brightness. Smallest changes are found for networks without convolutions. Weights are " +
        "rounded to sixteen bits.");
      return element("div", {}, this.status, note);
    }

    // -- what happens --

    load() {
      if (this.networks) return;
      this.ask.hidden = true;
      if (!this.loading) this.status.textContent = "The networks are being loaded.";
      this.loading ||= networks.load(root, this.name, this.about).then((loaded) => {
        this.networks = loaded;
        this.later();
      }, () => {
        this.loading = null;
        this.ask.hidden = false;
        this.status.textContent = "The networks could not be loaded.";
      });
    }

    fool(name) {
      this.fooled = name;
      this.load();
      this.later();
    }

    // Once a frame is enough, however fast a slider moves.
    later() {
      this.waiting ||= requestAnimationFrame(() => {
        this.waiting = 0;
        this.draw();
      });
    }

    draw() {
      const image = this.picture(), { size, width } = this.problem;
      show(this.own.canvas, image);
      const first = Number(this.place.value) + 1, kind = this.horizontal() ? "horizontal" : "vertical";
      const stripe = this.stripe ? `a ${kind} stripe at ${first} to ${first + width - 1} of ${size}` : "no stripe";
      const drawn = this.drawn.some(Boolean) ? ", with a drawing" : "";
      this.own.canvas.setAttribute("aria-label", `Your picture: ${stripe}${drawn}`);
      const change = this.networks && this.fooled ? this.changeOf(image) : null;
      this.answers(image, change);
      this.exhibit(image, change);
    }

    changeOf(image) {
      return networks.smallest(this.networks.find(({ name }) => name === this.fooled), image);
    }

    answers(image, change) {
      const rules = { direction: direction(image, this.problem), brightness: brightness(image, this.problem) };
      const words = Object.entries(rules).map(([name, label]) =>
        `${name} says ${label === null ? "nothing" : WORDS[label]}`);
      const said = [`On your picture ${words.join(", ")}.`];
      if (this.networks) said.push(...this.fill(rules, image, change));
      if (this.networks || !this.loading) this.status.textContent = said.join(" ");
    }

    // The table, and the same in words.
    fill(rules, image, change) {
      const turned = [], by = { direction: [], brightness: [], both: [], neither: [] };
      this.rows.forEach(({ name, answer, sides }, i) => {
        const [before, after] = [image, change ? sum(image, change) : image]
          .map((x) => Number(networks.output(this.networks[i], x) > 0));
        const agree = Object.keys(rules).filter((rule) => rules[rule] === before);
        const side = ["neither", agree[0], "both"][agree.length];
        by[side].push(name);
        if (before !== after) turned.push(name);
        answer.textContent = before === after ? WORDS[before] : `${WORDS[before]} → ${WORDS[after]}`;
        sides.textContent = side;
      });
      const words = Object.entries(by).filter(([, names]) => names.length)
        .map(([side, names]) => `With ${side}: ${listed(names)}.`);
      return change ? [...words, ...this.told(image, change, turned)] : words;
    }

    // What the smallest change is.
    told(image, change, turned) {
      const [before, after] = [image, sum(image, change)].map((x) => direction(x, this.problem));
      const { layers } = this.networks.find(({ name }) => name === this.fooled);
      return [
        layers.length === 1 ? "No smaller change turns the linear network's answer." :
          `It is the smallest change that a search found for ${this.fooled}.`,
        `It has the Euclidean length ${networks.length(change).toFixed(2)}, and a pixel changes by at most ` +
          `${most(change).toFixed(2)}; a stripe is brighter than its ground by 1.`,
        `Direction ${before === after ? "still" : "now"} says ${WORDS[after]}.`,
        `The change turns the answer of ${listed(turned)}.`,
      ];
    }

    exhibit(image, change) {
      for (const { figure } of [this.change, this.after]) figure.hidden = !change;
      if (!change) return;
      const top = most(change);
      paint(this.change.canvas, change, -top, top);
      show(this.after.canvas, sum(image, change));
      this.change.caption.textContent = `The change, ${(1 / top).toFixed(1)} times enlarged; grey is none`;
      this.after.caption.textContent = "Your picture with it";
      this.change.canvas.setAttribute("aria-label", `The smallest change for ${this.fooled}, enlarged`);
      this.after.canvas.setAttribute("aria-label", `Your picture with the smallest change for ${this.fooled}`);
    }
  }

  const start = () => document.querySelectorAll("div.live").forEach((box) => new Live(box));
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
