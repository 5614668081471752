// A picture with a stripe that the reader makes, and what stored networks say of it: `networks.js`
// computes. Nothing is loaded before the reader asks the networks. Every stripe can be made from the
// keyboard; drawing by hand is for a pointer.
(() => {
  "use strict";

  const root = document.documentElement.dataset.content_root || "./";
  const WORDS = ["vertical", "horizontal"];  // by label
  const SAME = 1e-9;  // sums that differ by less differ by rounding
  const DARK = -0.2, WHITE = 1.1;  // black and white, as in the still picture above
  const REST = 500;  // milliseconds without a change, until a screen reader is told

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

  // null where no direction has the brighter band: on an empty picture, or on a cross.
  function direction(image, problem) {
    const over = largestBand(image, problem, true) - largestBand(image, problem, false);
    return Math.abs(over) < SAME ? null : Number(over > 0);
  }

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

  const lineOf = ({ size }, horizontal, i) => (horizontal ? Math.floor(i / size) : i % size);

  // What the networks were trained on: a search for a small change starts towards these.
  function training({ problem, offset }) {
    const { size, width } = problem, places = size - width + 1;
    return Array.from({ length: 2 * places }, (_, k) => {
      const horizontal = k < places, first = k % places;
      return Float64Array.from({ length: size * size }, (__, i) => {
        const line = lineOf(problem, horizontal, i);
        return Number(line >= first && line < first + width) + (horizontal ? -offset : offset);
      });
    });
  }

  // Tones from `low`, black, to `high`, white; what is beyond is black or white, too.
  function paint(canvas, image, low, high) {
    const pen = canvas.getContext("2d"), data = pen.createImageData(canvas.width, canvas.height);
    image.forEach((value, i) => {
      const tone = Math.round(255 * (value - low) / (high - low));
      data.data.set([tone, tone, tone, 255], 4 * i);
    });
    pen.putImageData(data, 0, 0);
  }

  const show = (canvas, image) => paint(canvas, image, DARK, WHITE);

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
      this.training = training(this.about);
      this.fooled = null;  // the network whose smallest change is shown
      this.clear(true);
      box.append(...this.intro(), this.controls(), this.shown(), this.said(), this.table(), this.note());
      box.hidden = false;
      this.draw();
    }

    // -- what the reader sets --

    intro() {
      const title = element("p", { class: "title", id: `live-${this.name}` }, "Ask them yourself");
      this.box.setAttribute("role", "group");
      this.box.setAttribute("aria-labelledby", title.id);
      const all = this.about.conflicts;
      return [title, element("p", {}, "Make a stripe, or draw one, and see what one network of each " +
        "kind says. They were trained on stripes like those above, horizontal ones darker by " +
        `${this.about.offset} and vertical ones brighter. Where direction and brightness part, an answer ` +
        "sides with one of them. One answer can't tell a rule from a bias: a network may lean to one word " +
        `whatever it sees. The count of the ${all} swapped stripes tells more. A network that follows brightness ` +
        `reads all ${all} by it, one that follows direction none, and one that always says the same word ${all / 2}.`)];
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
      this.ask = button("Ask the networks", () => {
        this.load();
        this.status.focus({ preventScroll: true });  // the button is gone; the table is next
      });
      this.size = element("span", { class: "size" },
        `“Ask” or “Show” loads ${Math.round(networks.size(this.about) / 1000)} kB, once.`);
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
        element("div", { class: "buttons" }, button("Empty picture", () => { this.clear(false); this.changed(); }),
          this.ask, this.size));
    }

    clear(stripe) {
      this.stripe = stripe;
      this.drawn = new Float64Array(this.count);
    }

    // A control was used; direction and place bring the stripe back, and what was drawn stays.
    changed(key) {
      if (key === "direction" || key === "place") this.stripe = true;
      this.fooled = null;
      this.later();
    }

    horizontal() {
      return this.box.querySelector("input[type=radio]:checked").value === "horizontal";
    }

    picture() {
      const { width } = this.problem, first = Number(this.place.value);
      const horizontal = this.horizontal(), offset = Number(this.offset.value);
      const noise = Number(this.noise.value);
      return Float64Array.from(this.drawn, (drawn, i) => {
        const line = lineOf(this.problem, horizontal, i);
        const stripe = this.stripe && line >= first && line < first + width;
        return Math.max(drawn, Number(stripe)) + offset + noise * this.grain[i];
      });
    }

    // -- drawing by hand: as wide as a stripe --

    drawable(canvas) {
      const { size } = this.problem;
      let last = null;  // where the pointer was; a fast one leaves out pixels
      const to = (event) => {
        const box = canvas.getBoundingClientRect();
        const here = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
          .map((part) => Math.floor(size * part));
        this.line(last || here, here);
        last = here;
        this.changed();
      };
      canvas.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        canvas.setPointerCapture(event.pointerId);
        last = null;
        to(event);
      });
      canvas.addEventListener("pointermove", (event) => { if (last && event.buttons & 1) to(event); });
      for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = null; });
    }

    // All from one pixel to another.
    line(from, to) {
      const way = to.map((end, axis) => end - from[axis]), steps = Math.max(1, ...way.map(Math.abs));
      for (let step = 0; step <= steps; step += 1) {
        this.dab(...from.map((start, axis) => Math.round(start + step / steps * way[axis])));
      }
    }

    dab(x, y) {
      const { size, width } = this.problem, from = -Math.floor(width / 2);
      for (let k = 0; k < width * width; k += 1) {
        const down = y + from + Math.floor(k / width), right = x + from + (k % width);
        if (down >= 0 && down < size && right >= 0 && right < size) this.drawn[down * size + right] = 1;
      }
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
      this.rows = this.about.networks.map((network) => this.row(network));
      const heads = ["network", "says", "sides with", `of ${this.about.conflicts} swapped stripes, read by brightness`,
        "smallest change found"];
      return element("table", {},
        element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
        element("tbody", {}, ...this.rows.map(({ row }) => row)));
    }

    row(network) {
      const answer = element("td"), sides = element("td"), last = element("td");
      const button = element("button", { type: "button", "aria-pressed": "false" }, "Show");
      button.append(element("span", { class: "unseen" }, ` the ${this.named(network)}`));
      button.addEventListener("click", () => this.fool(network.name));
      last.append(networks.isDense(network) ? button : "–");
      const row = element("tr", {}, element("th", { scope: "row" }, network.name), answer, sides,
        element("td", {}, String(network.colour)), last);
      return { name: network.name, row, answer, sides, button };
    }

    // Of the linear network the smallest change is known; of others it is what was found.
    named(network) {
      return `smallest change ${networks.isLinear(network) ? "" : "found "}for ${network.name}`;
    }

    // What is seen at once, and what a screen reader is told when all is at rest.
    said() {
      this.status = element("p", { class: "status", tabindex: -1 });
      this.told = element("p", { class: "unseen", role: "status" });
      return element("div", {}, this.status, this.told);
    }

    note() {
      return element("p", { class: "note" }, "Swapped stripes have the other direction's brightness. For the linear network " +
        "the smallest change is exact. For the MLPs a search finds it, and shorter ones may exist. For networks with convolutions " +
        "there is none here. Tones are as in the figure above: what is darker or brighter than its darkest or brightest is black " +
        "or white. Noise is one fixed pattern, more or less of it. Weights are rounded to sixteen bits.");
    }

    // -- what happens --

    load() {
      if (this.networks || this.loading) return;
      this.waits(true);
      this.say("The networks are being loaded.");
      this.loading = networks.load(root, this.name, this.about).then((loaded) => {
        this.networks = loaded;
        this.later();
      }, () => {
        this.waits(false);
        this.loading = this.fooled = null;
        this.mark();
        this.say("The networks could not be loaded. “Ask” or “Show” tries again.");
      });
    }

    waits(loading) {
      this.ask.hidden = this.size.hidden = loading;
    }

    // A second click closes what a first one has shown.
    fool(name) {
      this.fooled = this.fooled === name ? null : name;
      this.load();
      this.later();
    }

    // Which network's change is shown.
    mark() {
      for (const { name, row, button } of this.rows) {
        button.setAttribute("aria-pressed", String(name === this.fooled));
        row.classList.toggle("shown", name === this.fooled);
      }
    }

    say(words) {
      this.status.textContent = words;
      clearTimeout(this.resting);
      this.resting = setTimeout(() => { this.told.textContent = words; }, REST);
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
      const change = this.networks && this.fooled ? networks.smallest(this.shownNetwork(), image, this.training) : null;
      this.mark();
      this.answers(image, change);
      this.exhibit(image, change);
    }

    shownNetwork() {
      return this.networks.find(({ name }) => name === this.fooled);
    }

    rules(image) {
      return { direction: direction(image, this.problem), brightness: brightness(image, this.problem) };
    }

    answers(image, change) {
      if (this.loading && !this.networks) return;
      const words = Object.entries(this.rules(image)).map(([name, label]) =>
        `${name} says ${label === null ? "nothing" : WORDS[label]}`);
      const said = [`On your picture ${words.join(", ")}.`];
      if (this.networks) said.push(...this.fill(image, change));
      this.say(said.join(" "));
    }

    // What a network says of a picture, and which rules say so; "–" where one of them says nothing.
    heard(network, image) {
      const said = Number(networks.output(network, image) > 0), rules = Object.entries(this.rules(image));
      const agree = rules.filter(([, label]) => label === said).map(([rule]) => rule);
      const isOpen = rules.some(([, label]) => label === null);
      return { says: WORDS[said], side: isOpen ? "–" : ["neither", agree[0], "both"][agree.length] };
    }

    // The table, and the same in words.
    fill(image, change) {
      const turned = [], by = { direction: [], brightness: [], both: [], neither: [] };
      const both = (before, after) => (before === after ? before : `${before} → ${after}`);
      this.rows.forEach(({ name, answer, sides }, i) => {
        const before = this.heard(this.networks[i], image);
        const after = change ? this.heard(this.networks[i], sum(image, change)) : before;
        by[before.side]?.push(name);
        if (before.says !== after.says) turned.push(name);
        answer.textContent = both(before.says, after.says);
        sides.textContent = both(before.side, after.side);
      });
      const words = Object.entries(by).filter(([, names]) => names.length)
        .map(([side, names]) => `Siding with ${side}: ${listed(names)}.`);
      if (change) words.push(...this.described(image, change, turned));
      else if (this.fooled) words.push(`The search found no change that turns the answer of the ${this.fooled}.`);
      return words;
    }

    // What the smallest change is.
    described(image, change, turned) {
      const [before, after] = [image, sum(image, change)].map((x) => direction(x, this.problem));
      const network = this.shownNetwork(), swap = 2 * this.about.offset * this.problem.size;
      const isExact = networks.isLinear(network);
      return [
        `The picture in the middle is the smallest change ${isExact ? "" : "found "}that turns the answer of ` +
          `the ${isExact ? "linear network" : this.fooled}.`,
        `Its Euclidean length is ${networks.length(change).toFixed(2)}; from a dark stripe to the same one bright it ` +
          `is ${swap.toFixed(2)}. A pixel changes by at most ${most(change).toFixed(2)}; a stripe is brighter than its ground by 1.`,
        `Direction ${before === after ? "still" : "now"} says ${after === null ? "nothing" : WORDS[after]}.`,
        `It turns these answers: ${listed(turned)}.`,
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
      const named = this.named(this.shownNetwork());
      this.change.canvas.setAttribute("aria-label", `The ${named}, enlarged`);
      this.after.canvas.setAttribute("aria-label", `Your picture with the ${named}`);
    }
  }

  const start = () => document.querySelectorAll("div.live").forEach((box) => new Live(box));
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
