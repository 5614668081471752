// What scrolls sideways must scroll from the keyboard, too: it takes the focus while it is too wide.
(() => {
  const scrolling = ".pst-scrollable-table-container, .bd-article figure, .bd-article div.math, " +
    ".bd-article mjx-container[display], .bd-article pre";
  const watch = new ResizeObserver((seen) => seen.forEach(({ target }) => {
    const wide = target.scrollWidth > target.clientWidth + 1 &&
      /auto|scroll/.test(getComputedStyle(target).overflowX);
    // The theme looks at code and outputs once, and gives -1 to what fitted then.
    if (wide && target.tabIndex < 0) target.tabIndex = target.dataset.reached = 0;
    if (!wide && target.dataset.reached) {
      target.removeAttribute("tabindex");
      delete target.dataset.reached;
    }
  }));
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(scrolling).forEach((part) => watch.observe(part));
  });
})();
