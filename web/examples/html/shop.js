// The whole of it: consent, events from the page's attributes, a number, and a coupon that does not flicker.
const { openVisit, attributes, loadScorer, delivery } = propense;

const model = delivery("/models/giftshop.propense");
const visit = openVisit((midway) => model.load((bytes, base) => loadScorer(bytes, { base }), midway), {
  sources: [attributes()],
  newer: () => model.newer(),
  alsoErase: () => model.erase(),
});

const propensity = document.querySelector("#propensity");
visit.onScore((score) => {
  propensity.textContent = `${Math.round(score.propensity * 100)} %`;
});
visit.onScore(
  (_, side) => {
    document.querySelector("#coupon").hidden = side !== "above";
  },
  { name: "coupon", above: 0.2 },
);

document.querySelector("#allow").addEventListener("change", ({ target }) => {
  visit.allow(target.checked);
  if (!target.checked) propensity.textContent = "not looked at";
});
