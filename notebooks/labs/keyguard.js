// JupyterLab takes keys from focused controls: arrows move the cell cursor, letters insert cells
// (jupyter-widgets/ipywidgets#3912). The guard stands at the edge of its lab and lets nothing typed
// into a control get past; Tab, Escape, shortcuts, and Shift+Enter (run the cell) go through.
const CONTROLS = "select, input, textarea, button, summary, [role=slider]";

function guard(event) {
  const passes =
    event.ctrlKey || event.metaKey || event.altKey ||
    event.key === "Tab" || event.key === "Escape" || (event.key === "Enter" && event.shiftKey);
  if (!passes && event.target.closest?.(CONTROLS)) event.stopPropagation();
}

export default {
  render({ el }) {
    let lab = null;
    let wanted = true;
    el.style.display = "none";
    // A view is drawn before it is put into its lab.
    const attach = () => {
      if (!wanted) return;
      lab = el.closest(".mc-lab");
      if (lab) {
        lab.addEventListener("keydown", guard);
        lab.dataset.guarded = "yes";
      } else {
        requestAnimationFrame(attach);
      }
    };
    attach();
    return () => {
      wanted = false;
      lab?.removeEventListener("keydown", guard);
    };
  },
};
