// In a frame on a site: tells the page around it, through the channel that the widget's loader hands over, how tall this page
// is and what came of the visitor's step. Which sites may frame the page is decided by its policy (`frame-ancestors`).
addEventListener("message", ({ data, source, ports: [port] }) => {
  if (data !== "cupo:frame" || source !== parent || !port) return;
  const tell = (name, detail) => port.postMessage({ name, detail });
  const page = document.documentElement;
  new ResizeObserver(() => tell("height", page.getBoundingClientRect().height)).observe(page);
  const { told, start, end } = document.body.dataset;
  if (told) tell(told, start ? { start, end } : {});
});
