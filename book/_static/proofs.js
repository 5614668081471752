/* Folded proofs: open in print, and where an address points into one. The rest is the browser's. */
const folded = () => document.querySelectorAll("details.proof:not([open])");

function openForPrint() {
  for (const proof of folded()) {
    proof.open = true;
    proof.dataset.folded = "";
  }
}

function foldAgain() {
  for (const proof of document.querySelectorAll("details.proof[data-folded]")) {
    proof.open = false;
    delete proof.dataset.folded;
  }
}

function openTarget() {
  const id = decodeURIComponent(location.hash.slice(1));
  const proof = id && document.getElementById(id)?.closest("details.proof");
  if (proof) proof.open = true;
}

window.addEventListener("beforeprint", openForPrint);
window.addEventListener("afterprint", foldAgain);
window.addEventListener("hashchange", openTarget);
openTarget();
