// What the tests ask a page, as functions of `measure`.
(() => {
  const blocks = "script, style, mjx-assistive-mml, noscript";

  // Every fold open, so that nothing hides from the checks.
  const openFolds = () => {
    document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
    document.querySelectorAll("button.toggle-button[aria-expanded=false], .toggle-hidden > .toggle-button")
      .forEach((button) => button.click());
  };

  // The background colours below an element, up to the first opaque one.
  const ground = (element) => {
    const found = [];
    for (let part = element; part; part = part.parentElement) {
      const colour = getComputedStyle(part).backgroundColor;
      if (colour === "rgba(0, 0, 0, 0)" || colour === "transparent") continue;
      found.push(colour);
      if (!/rgba|\/ 0?\./.test(colour)) break;
    }
    return found.join(" over ");
  };

  // One element for each look that text has on this page: colour, size, weight, background. What
  // looks the same has the same contrast, and axe takes minutes for a page of thousands of links.
  const markLooks = () => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const looks = new Map();
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (!walker.currentNode.data.trim() || element.closest(blocks)) continue;
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      const style = getComputedStyle(element);
      const look = [style.color, style.fontSize, style.fontWeight, ground(element)].join("; ");
      if (!looks.has(look)) looks.set(look, element);
    }
    document.querySelectorAll("[data-look]").forEach((element) => element.removeAttribute("data-look"));
    looks.forEach((element) => element.setAttribute("data-look", ""));
    return [...looks.keys()];
  };

  const told = (violations) => violations.map(({ id, impact, nodes }) => ({
    id, impact, count: nodes.length,
    nodes: nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary || ""}`),
  }));

  const run = async (context, options) => {
    const common = { resultTypes: ["violations"], preload: false, selectors: false };
    return told((await axe.run(context, { ...common, ...options })).violations);
  };
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];

  window.measure = {
    openFolds,
    // A formula's glyphs are thousands of elements that no rule is about.
    emptyFormulas: () => document.querySelectorAll("mjx-container svg")
      .forEach((drawing) => drawing.replaceChildren()),
    structure: () => run(document, {
      runOnly: tags, rules: { "color-contrast": { enabled: false } },
    }),
    contrast: async () => {
      const looks = markLooks();
      const violations = await run({ include: [["[data-look]"]] }, { runOnly: ["color-contrast"] });
      return { looks, violations };
    },
    scrollable: () => run(document, { runOnly: ["scrollable-region-focusable"] }),

    images: () => [...document.querySelectorAll("main img")].map((image) => {
      const figure = image.closest("figure");
      const caption = figure && figure.querySelector("figcaption .caption-text");
      return {
        alt: image.getAttribute("alt"), source: image.getAttribute("src"), title: image.title,
        caption: caption ? caption.textContent.trim().replace(/\s+/g, " ") : "",
        loaded: image.complete && image.naturalWidth > 0,
      };
    }),
    headings: () => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
      .filter((heading) => heading.checkVisibility() && !heading.closest("[role=dialog]"))
      .map((heading) => [Number(heading.tagName[1]), heading.textContent.trim()]),
    formulas: () => ({
      stated: document.querySelectorAll(".math").length,
      set: document.querySelectorAll("mjx-container").length,
      failed: [...document.querySelectorAll("[data-mjx-error], [data-mml-node=merror], merror")]
        .map((element) => element.outerHTML.slice(0, 200)),
    }),

    // Controls that the keyboard can't get to.
    unreachable: () => [...document.querySelectorAll(
      "article a[href], article button, article summary, article input, nav a[href]",
    )].filter((element) => element.checkVisibility() && !element.disabled)
      .filter((element) => {
        element.focus({ preventScroll: true });
        return document.activeElement !== element || element.tabIndex < 0;
      }).map((element) => element.outerHTML.slice(0, 120)),

    // How far the page is wider than the window, and which elements are to blame.
    sideways: () => {
      const page = document.scrollingElement;
      const edge = page.clientWidth;
      const clipped = (element) => {
        for (let part = element.parentElement; part && part !== document.body; part = part.parentElement) {
          if (getComputedStyle(part).overflowX !== "visible") return true;
        }
        return false;
      };
      const wide = page.scrollWidth <= edge ? [] : [...document.querySelectorAll("main *")]
        .filter((element) => element.getBoundingClientRect().right > edge + 1 && !clipped(element))
        .map((element) => `${element.tagName} ${element.className} ${element.textContent.slice(0, 60)}`);
      return { over: page.scrollWidth - edge, wide: wide.slice(0, 5) };
    },

    // Parts that scroll sideways and are neither table, code, formula nor figure.
    scrollers: () => [...document.querySelectorAll("main *")].filter((element) => {
      if (element.scrollWidth <= element.clientWidth + 1 || !element.clientWidth) return false;
      if (!/auto|scroll/.test(getComputedStyle(element).overflowX)) return false;
      const known = "table, pre, code, .math, mjx-container, div.highlight, figure, .wide";
      return !element.matches(known) && !element.querySelector(known);
    }).map((element) => `${element.tagName} ${element.className}`),
  };
})();
