// A link to a claim, a figure, a statement, a term or a cited work shows it before one goes there:
// under the mouse or the keyboard's focus. Escape closes it. What it shows comes from the book
// itself, as a script, so that it works from a folder, too. And a click on a link that an anchor
// has to itself copies its address.
(() => {
  const here = document.documentElement.dataset.content_root || "./";
  const root = new URL(here, location.href).href;
  const main = document.querySelector("main") || document.body;  // a landmark
  const known = {};  // by page: anchor -> HTML, or a list of who waits for it
  let link = null, timer = 0, box = null;

  // Called by the files in _previews.
  window.previews = (page, pieces) => {
    const waiting = known[page];
    known[page] = pieces;
    if (Array.isArray(waiting)) waiting.forEach((tell) => tell());
  };

  function load(page, tell) {
    if (known[page] && !Array.isArray(known[page])) return tell();
    if (known[page]) return void known[page].push(tell);
    known[page] = [tell];
    const script = document.createElement("script");
    script.src = `${root}_previews/${page}.js`;
    script.addEventListener("error", () => { delete known[page]; script.remove(); });  // try again
    document.head.append(script);
  }

  // The page and the anchor of a link within the book.
  function target(of) {
    const url = new URL(of.href, location.href);
    if (!url.hash || !url.href.startsWith(root) || !/\.html$/.test(url.pathname)) return null;
    const page = url.href.slice(root.length).replace(/#.*$/, "").replace(/\.html$/, "");
    const anchor = decodeURIComponent(url.hash.slice(1));
    const word = anchor.match(/^ledger-([a-z0-9]+)/);  // the ledger's are in several files
    return { page: decodeURI(page).replaceAll("/", "-") + (word ? `-${word[1]}` : ""), anchor };
  }

  function close() {
    clearTimeout(timer);
    if (box) box.hidden = true;
    if (link) link.removeAttribute("aria-describedby");
    link = null;
  }

  function later(what) {
    clearTimeout(timer);
    timer = setTimeout(what, 250);
  }

  function make() {
    box = document.createElement("div");
    box.id = "preview";
    box.setAttribute("role", "tooltip");
    // It may be pointed at, to read on in it.
    box.addEventListener("mouseenter", () => clearTimeout(timer));
    box.addEventListener("mouseleave", () => later(close));
    main.append(box);
  }

  // Below the link if it has room there, else where there is more; what doesn't fit scrolls.
  function place(of) {
    const at = of.getClientRects()[0], gap = 6, edge = 8;
    const wide = document.documentElement.clientWidth, high = window.innerHeight;
    if (!at || at.bottom < 0 || at.top > high) return close();  // it was scrolled away
    const above = at.top - gap - edge, under = high - at.bottom - gap - edge;
    box.style.maxHeight = "none";
    const below = box.offsetHeight <= under || under >= above;
    box.style.left = `${Math.max(edge, Math.min(at.left, wide - box.offsetWidth - edge))}px`;
    box.style.top = below ? `${at.bottom + gap}px` : "auto";
    box.style.bottom = below ? "auto" : `${high - at.top + gap}px`;
    box.style.maxHeight = `${Math.max(below ? under : above, 0)}px`;
  }

  function show(of, piece) {
    if (!box) make();
    close();
    box.innerHTML = piece;
    box.querySelectorAll("img").forEach((image) => { image.src = root + image.dataset.src; });
    box.hidden = false;
    link = of;
    link.setAttribute("aria-describedby", "preview");
    place(of);
    if (box.querySelector(".math") && window.MathJax && MathJax.typesetPromise) {
      MathJax.typesetPromise([box]).then(() => link === of && place(of));
    }
  }

  function look(of) {
    const to = target(of);
    if (!to) return;
    load(to.page, () => {
      const piece = known[to.page][to.anchor];
      if (piece && (of.matches(":hover") || of === document.activeElement)) show(of, piece);
    });
  }

  const links = ".bd-article a.internal[href*='#']:not(.headerlink), .bd-article a[href*='#term-']";
  const within = (event) => event.target.closest && event.target.closest(links);
  document.addEventListener("mouseover", (event) => {
    const of = within(event);
    if (of && of !== link) later(() => look(of));
  });
  document.addEventListener("mouseout", (event) => {
    if (within(event)) later(close);
  });
  document.addEventListener("focusin", (event) => {
    const of = within(event);
    if (of && of.matches(":focus-visible")) look(of);
  });
  document.addEventListener("focusout", (event) => {
    if (within(event) === link) close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  document.addEventListener("scroll", () => link && place(link), { passive: true });

  // ---- the link that an anchor has to itself ----

  function told(of, word) {
    of.dataset.told = word;
    setTimeout(() => delete of.dataset.told, 1500);
    let said = document.getElementById("copied");
    if (!said) {
      said = document.createElement("div");
      said.id = "copied";
      said.setAttribute("role", "status");
      main.append(said);
    }
    said.textContent = `Address ${word}`;
  }

  document.addEventListener("click", (event) => {
    const of = event.target.closest && event.target.closest("a.headerlink");
    if (!of || !navigator.clipboard) return;  // then it is a link as any other
    navigator.clipboard.writeText(of.href).then(() => told(of, "copied"), () => {});
  });
})();
