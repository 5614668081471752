// What stored networks answer, computed here: `networks.load(root, name, about)` loads their weights
// once, from the book itself. A network gives one number for an image, a Float64Array of its pixels: the
// label is 1 where it is positive. Sums are of float64, as PyTorch's are in the test.
(() => {
  "use strict";

  const known = {};  // by name: the promise of weights
  const failed = new Set();  // names

  // ---- layers: numbers in, numbers out. Images are channel by channel, row by row. ----

  function dense({ weights, biases }, { values }) {
    const inputs = values.length, out = new Float64Array(biases.length);
    for (let o = 0; o < out.length; o += 1) {
      let sum = biases[o];
      for (let i = 0, at = o * inputs; i < inputs; i += 1) sum += weights[at + i] * values[i];
      out[o] = sum;
    }
    return { values: out, channels: out.length, side: 1 };
  }

  // The image is moved under each weight of the kernel in turn; what falls outside counts as 0.
  function convolution({ weights, biases, side: kernel, padding }, { values, channels, side }) {
    const area = side * side, out = new Float64Array(biases.length * area);
    for (let o = 0; o < biases.length; o += 1) {
      const plane = out.subarray(o * area, (o + 1) * area).fill(biases[o]);
      for (let c = 0; c < channels; c += 1) {
        const seen = values.subarray(c * area, (c + 1) * area);
        for (let k = 0; k < kernel * kernel; k += 1) {
          const down = Math.floor(k / kernel) - padding, right = (k % kernel) - padding;
          moved(plane, seen, side, [down, right], weights[(o * channels + c) * kernel * kernel + k]);
        }
      }
    }
    return { values: out, channels: biases.length, side };
  }

  function moved(plane, seen, side, [down, right], weight) {
    const first = Math.max(0, -right), last = Math.min(side, side - right);
    for (let y = Math.max(0, -down); y < Math.min(side, side - down); y += 1) {
      const here = y * side, there = (y + down) * side + right;
      for (let x = first; x < last; x += 1) plane[here + x] += weight * seen[there + x];
    }
  }

  function largest({ side: pool }, { values, channels, side }) {
    const small = side / pool, out = new Float64Array(channels * small * small).fill(-Infinity);
    for (let c = 0; c < channels; c += 1) {
      for (let y = 0; y < side; y += 1) {
        for (let x = 0; x < side; x += 1) {
          const to = (c * small + Math.floor(y / pool)) * small + Math.floor(x / pool);
          out[to] = Math.max(out[to], values[(c * side + y) * side + x]);
        }
      }
    }
    return { values: out, channels, side: small };
  }

  function mean(_, { values, channels }) {
    const area = values.length / channels, out = new Float64Array(channels);
    values.forEach((value, i) => { out[Math.floor(i / area)] += value / area; });
    return { values: out, channels, side: 1 };
  }

  const relu = (_, input) => ({ ...input, values: input.values.map((value) => Math.max(0, value)) });

  const LAYERS = { dense, convolution, largest, mean, relu };

  function output(network, image) {
    const start = { values: image, channels: 1, side: Math.sqrt(image.length) };
    return network.layers.reduce((seen, layer) => LAYERS[layer.kind](layer, seen), start).values[0];
  }

  // ---- the smallest change of an image that changes the answer, in the Euclidean norm ----

  function dot(a, b) {
    let sum = 0;
    for (let i = 0; i < a.length; i += 1) sum += a[i] * b[i];
    return sum;
  }

  const length = (a) => Math.sqrt(dot(a, a));

  function along(a, step, b) {
    const out = new Float64Array(a.length);
    for (let i = 0; i < out.length; i += 1) out[i] = a[i] + step * b[i];
    return out;
  }

  // Whether it is a stack of dense layers, whose slope `slope` knows.
  const isDense = (network) => network.layers.every(({ kind }) => kind === "dense" || kind === "relu");

  const isLinear = (network) => network.layers.length === 1;

  // The output at an image and its gradient there; the network is linear around the image.
  function slope(network, image) {
    const inputs = [{ values: image }];
    for (const layer of network.layers) inputs.push(LAYERS[layer.kind](layer, inputs.at(-1)));
    let back = Float64Array.of(1);
    for (let place = network.layers.length - 1; place >= 0; place -= 1) {
      const layer = network.layers[place], { values } = inputs[place];
      if (layer.kind === "relu") back = back.map((value, i) => (values[i] > 0 ? value : 0));
      else back = transposed(layer, back, values.length);
    }
    return { at: inputs.at(-1).values[0], gradient: back };
  }

  function transposed({ weights }, back, inputs) {
    const out = new Float64Array(inputs);
    back.forEach((value, o) => {
      for (let i = 0, at = o * inputs; value && i < inputs; i += 1) out[i] += value * weights[at + i];
    });
    return out;
  }

  const BEYOND = 1e-6;  // how far past the boundary, in parts of the change: more than rounding
  const STARTS = 6, ROUNDS = 60, STEPS = 200;  // more take longer than a click may
  const WIDE = 0.6;  // of the distance, so far beyond the boundary a search aims at first

  // For a linear network the closed form, −f(x) w / |w|². For others the shortest that is found: by
  // searches from the image itself and from where straight ways to other pictures cross the
  // boundary, or on these ways themselves; made shorter in the end. null if there is none. `known`
  // are pictures to go towards.
  function smallest(network, image, known = []) {
    const before = output(network, image) > 0, none = new Float64Array(image.length);
    if (isLinear(network)) return cut(network, image, plane(network, image, none).next, before);
    const ways = straight(network, image, known, before);
    const found = [none, ...ways.slice(0, STARTS)].map((start) => search(network, image, start, before));
    const [best] = sorted([...found.filter(Boolean), ...ways]);
    return best ? shortened(network, image, best, before) : null;
  }

  const sorted = (changes) => [...changes].sort((a, b) => length(a) - length(b));

  // Towards known pictures, and with all pixels moved alike, up to where the answer is another one.
  function straight(network, image, known, before) {
    const moved = [-1, 1].map((value) => image.map(() => value));
    const ways = [...known.map((other) => along(other, -1, image)), ...moved];
    return sorted(ways.map((way) => cut(network, image, way, before, ROUGHLY)).filter(Boolean));
  }

  // As the package's: the shortest change onto the plane that touches the network where the search
  // is, mixed into the change so far with a falling weight. It aims beyond the boundary at first, as
  // else it settles for the first one that it meets.
  function search(network, image, start, before) {
    let change = start, best = null, size = Infinity;
    for (let round = 0; round < ROUNDS; round += 1) {
      const { at, next } = plane(network, image, change);
      if ((at > 0) !== before && length(change) < size) [best, size] = [change, length(change)];
      const aim = 1 + WIDE * Math.max(0, 1 - 2 * round / ROUNDS), weight = 6 / (6 + round);
      change = along(change.map((value) => (1 - weight) * value), weight * aim, next);
    }
    return cut(network, image, best || change, before);
  }

  // Along the boundary, which has kinks where planes are no guide: shorter while the answer is
  // another one, else longer, and each time a step down the slope, both by less and less. As
  // arXiv:1811.09600.
  function shortened(network, image, start, before) {
    let change = start, best = start, size = length(start);
    for (let step = 0; step < STEPS; step += 1) {
      const { at, gradient } = slope(network, along(image, 1, change));
      const turned = (at > 0) !== before, now = length(change);
      if (turned && now < size) [best, size] = [change, now];
      const fall = Math.max(0.01, (1 + Math.cos(Math.PI * step / STEPS)) / 2);
      const down = (before ? -0.3 : 0.3) * fall * now / (length(gradient) || 1);
      const moved = along(change, down, gradient), wanted = now * (1 + (turned ? -0.1 : 0.1) * fall);
      const share = wanted / length(moved);
      change = moved.map((value) => value * share);
    }
    return cut(network, image, best, before);
  }

  // The shortest change of the image onto the plane that touches the network at image + change, and
  // the output there.
  function plane(network, image, change) {
    const { at, gradient } = slope(network, along(image, 1, change));
    const share = (dot(gradient, change) - at) / (dot(gradient, gradient) || 1);
    return { at, next: gradient.map((w) => w * share) };
  }

  const FINELY = 40, ROUGHLY = 12;  // halvings

  // The part of a change, or up to twice of it, after which the answer is another one.
  function cut(network, image, change, before, halvings = FINELY) {
    const flips = (t) => (output(network, along(image, t, change)) > 0) !== before;
    let low = 0, high = [1, 1.1, 1.4, 2].find(flips);
    if (high === undefined) return null;
    for (let halving = 0; halving < halvings; halving += 1) {
      const middle = (low + high) / 2;
      if (flips(middle)) high = middle;
      else low = middle;
    }
    return change.map((value) => value * high * (1 + BEYOND));
  }

  // ---- the weights ----

  // float16: a sign, five bits of exponent, ten of the number.
  function half(bits) {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, part = bits & 1023;
    if (exponent === 31) return part ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 25) * (1024 + part) : 2 ** -24 * part);
  }

  function decoded(bytes) {
    const view = new DataView(bytes.buffer);
    return Float64Array.from({ length: bytes.length / 2 }, (_, i) => half(view.getUint16(2 * i, true)));
  }

  function unpacked({ networks }, numbers) {
    let from = 0;
    const take = (count) => numbers.subarray(from, from += count);
    return networks.map((network) => ({
      ...network,
      layers: network.layers.map((layer) => {
        if (!layer.inputs) return layer;
        const count = layer.inputs * layer.outputs * (layer.side || 1) ** 2;
        return { ...layer, weights: take(count), biases: take(layer.outputs) };
      }),
    }));
  }

  // CRC-32, as zlib's. The pages are also read from a folder, where browsers offer no digest.
  function checksum(bytes) {
    let rest = -1;
    for (const byte of bytes) {
      rest ^= byte;
      for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
    }
    return ~rest >>> 0;
  }

  // Weights that are short or damaged would answer, too, and wrongly.
  function checked({ bytes, crc32 }, raw) {
    if (raw.length !== bytes) throw new Error(`${raw.length} bytes of weights; expected ${bytes}`);
    if (checksum(raw) !== crc32) throw new Error("these are other weights than the page describes");
    return raw;
  }

  // After a failure what a browser has kept is not asked again.
  async function fetched(address, again) {
    const answer = await fetch(address, { cache: again ? "reload" : "default" });
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
  }

  // From a folder a page may load scripts only: there the same bytes are text in a script.
  const isFolder = location.protocol === "file:";
  const waiting = {};
  const receive = (name, text) => waiting[name](Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
  const scripted = (name, address) => new Promise((done, fails) => {
    const script = document.createElement("script");
    waiting[name] = done;
    script.src = address;
    // One that ran and delivered nothing failed, too.
    for (const end of ["error", "load"]) {
      script.addEventListener(end, () => fails(new Error(`${address} can't be loaded`)));
    }
    document.head.append(script);
  });

  // How many bytes are loaded; text takes four for three.
  const size = ({ bytes }) => (isFolder ? 4 * Math.ceil(bytes / 3) : bytes);

  // What `about` describes; after a failure one can try again. The address names the bytes, so that
  // those of an earlier page aren't taken for them.
  async function load(root, name, about) {
    const file = `${root}_networks/${name}`, version = `?v=${about.crc32}`;
    known[name] ||= isFolder ? scripted(name, `${file}.js${version}`)
      : fetched(`${file}.f16${version}`, failed.has(name));
    try {
      return unpacked(about, decoded(checked(about, await known[name])));
    } catch (error) {
      failed.add(name);
      delete known[name];
      throw error;
    }
  }

  window.networks = { load, receive, size, output, smallest, isDense, isLinear, length };
})();
