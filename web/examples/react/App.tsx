import { useEffect, useState } from "react";
import { type Recommendation, loadScorer } from "propense";
import { type Visit, openVisit } from "propense/visit";

/** A visit for as long as the component is there. On a server nothing happens: effects run in browsers. */
function useVisit(allowed: boolean): Visit | undefined {
  const [visit, setVisit] = useState<Visit>();
  useEffect(() => {
    const mine = openVisit(() => loadScorer("/models/giftshop.propense"));
    setVisit(mine);
    return () => mine.close();
  }, []);
  useEffect(() => visit?.allow(allowed), [visit, allowed]);
  return visit;
}

export function App() {
  const [allowed, setAllowed] = useState(false);
  const [propensity, setPropensity] = useState<number>();
  const [picks, setPicks] = useState<Recommendation[]>([]);
  const visit = useVisit(allowed);

  useEffect(
    () =>
      visit?.onScore((score) => {
        setPropensity(score.propensity);
        if (score.waited > 0) return;
        void visit.scorer?.recommend({ k: 3, perCategory: 2 }).then(setPicks);
      }),
    [visit],
  );

  const tell = (event: string) =>
    visit?.track({ event, timestamp: Date.now(), items: [{ item_id: "85123A", item_name: "White Hanging Heart", price: 2.95 }] });

  return (
    <main>
      <h1>White Hanging Heart</h1>
      <label>
        <input type="checkbox" checked={allowed} onChange={({ target }) => setAllowed(target.checked)} /> Personal offers
      </label>
      <button onClick={() => tell("view_item")}>Look</button>
      <button onClick={() => tell("add_to_cart")}>Into the cart</button>
      <p>
        Likely to buy: <output id="propensity">{propensity === undefined || !allowed ? "not looked at" : `${Math.round(propensity * 100)} %`}</output>
      </p>
      <ul>
        {picks.map(({ item_id }) => (
          <li key={item_id}>{item_id}</li>
        ))}
      </ul>
    </main>
  );
}
