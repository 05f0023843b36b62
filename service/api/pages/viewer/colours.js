/**
 * Colours of heat, from cold to hot: every third of the 256 RGB colours of the service, as base64.
 * Those between differ from the service's by 2 at most. All but grey are safe for readers who see
 * red and green alike.
 */
const EVERY = 3;
const KNOTS = {
  cividis:
    "ACJOACVTACdYACldACtiAC1oAC9tADFwBTNxDzVwFjdwHDlvITtuJj1uKj9tLkFtMkNtNUVsOUhsPEpsP0xsQk5sRVBs" +
    "SFJsS1RsTlZsUVhtVFptVlxtWV5uXGFuXmNvYWVvZGdwZmlwaWtxbG1ybm9zcXJ0c3R1dnZ2eHh3e3p4fnx4gH94g4F5" +
    "hoN5iYV4jIh4j4p4kox4lI53l5F3mpN2nZV2oJh1o5p0ppx0qZ9zrKFyr6Rxs6ZwtqlvuattvK5sv7BrwrNpxbVoyLhm" +
    "zLpkz71i0sBg1cJe2cVc3MhZ38pX4s1U5tBR6dNO7dVK8NhG89tC994+++E4/uQ0/ug4",
  inferno:
    "AAAEAQEIAgIOBAMUBwUbCgciDQgpEQowFQs3GQw+HgxFIwxMKAtTLQtZMgpeOAliPQllQgpoRwtqTAxrUQ5sVQ9tWhFu" +
    "XxNuZBVuaRZubRhuchpudxxtfB1tgB9shSFriiJqjyRpkyZnmCdmnSlkoitipi1gqy9esDFbtDNZuTVWvThTwTpQxj1N" +
    "ykBKzkNH0kZE1UpB2U093VE64FU241kz5l0v6WEr62Yo7mok8G8g8nQc9HkY9n4U94QQ+IkM+Y4J+pQH+5kG/J8H/KUK" +
    "/KoP/LAU+7Ya+7wh+sIo+ccv+M0399NA9dlJ9N9T8+Vd8upp8e918vSC9PiO+Pua/P+k",
  viridis:
    "RAFURQVZRgpdRw5hRxNlSBdpSBttSB9wSCN0SCZ3Ryp6Ry58RjJ+RTWBRDmDQz2EQkCGQUSHP0eIPkqJPU6KO1GLOlSM" +
    "OFiMN1uNNV6NNGGNMmSOMWeOMGqOLm2OLXCOLHKOK3WOKniOKXuOJ36OJoGOJYOOJIaOI4mOIoyNIY+NIJKMH5SMH5eL" +
    "H5qKHp2JH6CIH6KHIaWFIqiEJauCJ62BKrB/LrN8MrZ6N7h4O7t1QL1yRsBvTMJsUsVpWMdlXsliZctebM1ac9BWetFR" +
    "gdNNidVIkNdDmNg+oNo5qNs0sN0vuN4pwN8lyOAg0OEc2OIZ3+MY5+QZ7+Uc9uYg/ecl",
};

/** Return the colours of a map as bytes, [256 * 3]. */
export function colourTable(name) {
  if (name === "gray") return Uint8Array.from({ length: 768 }, (_, byte) => Math.floor(byte / 3));

  const knots = Uint8Array.from(atob(KNOTS[name]), (letter) => letter.charCodeAt(0));
  return Uint8Array.from({ length: 768 }, (_, byte) => {
    const step = Math.floor(byte / 3) % EVERY;
    const from = 3 * Math.floor(byte / 3 / EVERY) + (byte % 3);
    const to = step ? from + 3 : from;
    return Math.round(knots[from] + ((knots[to] - knots[from]) * step) / EVERY);
  });
}
