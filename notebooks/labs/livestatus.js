// One node that stays: a screen reader hears a change only in a live region that was there before it.
export default {
  render({ model, el }) {
    const line = document.createElement("p");
    line.setAttribute("role", "status");
    line.setAttribute("aria-live", "polite");
    const write = () => {
      line.className = model.get("fault") ? "mc-fault" : "mc-heard";
      line.textContent = model.get("text");
    };
    write();
    model.on("change:text change:fault", write);
    el.append(line);
    return () => model.off("change:text change:fault", write);
  },
};
