const WORDS = { LEFT: "L", RIGHT: "R" };
const LETTERS = { L: "L", R: "R", LT: "L", RT: "R" }; // may be initials: count beside a view
const SIDES = { ...WORDS, ...LETTERS };
const PLAIN = ["CC", "MLO", "LMO", "XCC", "XCCL", "XCCM"];
const SHORT = ["ML", "LM", "SIO", "ISO", "FB", "CV"]; // may be words: count beside a side
const VIEWS = [...PLAIN, ...SHORT];

const sidePattern = Object.keys(SIDES).join("|");
const SIDE_THEN_VIEW = new RegExp(`^(${sidePattern})(${VIEWS.join("|")})$`);
const VIEW_THEN_SIDE = new RegExp(`^(${PLAIN.join("|")})(${sidePattern})$`);

/**
 * Return {side, view} as the name of a file says them, such as 1_L_CC.dcm or case7_RMLO.png. Both
 * are null unless it says one side and one view. The rules are those of the command line.
 */
export function readFileName(name) {
  const words = name.toUpperCase().split(/[^A-Z0-9]+/).filter(Boolean);
  const joined = words.map(splitJoined).filter(Boolean);
  const beside = (wanted, others) =>
    words.filter((word, i) => {
      const isBeside = others.includes(words[i - 1]) || others.includes(words[i + 1]);
      return wanted.includes(word) && isBeside;
    });

  const views = [
    ...joined.map(([, view]) => view),
    ...words.filter((word) => PLAIN.includes(word)),
    ...beside(SHORT, Object.keys(SIDES)),
  ];
  const sides = [
    ...joined.map(([side]) => side),
    ...words.filter((word) => word in WORDS).map((word) => WORDS[word]),
    ...beside(Object.keys(LETTERS), VIEWS).map((word) => LETTERS[word]),
  ];
  if (views.length && !sides.length) {
    sides.push(...words.filter((word) => word in LETTERS).map((word) => LETTERS[word]));
  }

  const [side, view] = [only(sides), only(views)];
  return side && view ? { side, view } : { side: null, view: null };
}

/** Return side and view of a word such as LMLO or CCRIGHT. XCCL is a view alone. */
function splitJoined(word) {
  if (VIEWS.includes(word)) return null;
  const first = SIDE_THEN_VIEW.exec(word);
  if (first) return [SIDES[first[1]], first[2]];
  const second = VIEW_THEN_SIDE.exec(word);
  return second && [SIDES[second[2]], second[1]];
}

const only = (values) => (new Set(values).size === 1 ? values[0] : null);
