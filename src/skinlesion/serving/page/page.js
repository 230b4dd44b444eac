// The triage page: files are chosen, patients are scored one by one, lesions are shown by risk.
// Nothing is stored: what the page knows is in these variables, and gone when it is closed.

import { Service } from "./api.js";
import { Budget } from "./budget.js";
import { Choosing } from "./choosing.js";
import { byId, download, list, make, say } from "./dom.js";
import { showProblems } from "./errors.js";
import { dropped } from "./files.js";
import { Gallery } from "./gallery.js";
import { Panel } from "./lesion.js";
import { asCsv, marks, sorted, within } from "./lesions.js";
import { showModel } from "./model.js";
import { score } from "./scoring.js";
import { askToken } from "./token.js";
import { count, plural } from "./words.js";

const WIDE = matchMedia("(min-width: 60rem)"); // as in page.css: the panel stands beside

const OTHER_MODEL =
  "The service has changed its model since this page was loaded: load it again, and score again";

const service = new Service(askToken);
const choosing = new Choosing();
let model = null;
let lesions = [];
let running = null; // the AbortController of what runs

const gallery = new Gallery({
  onSelect: (lesion) => panel.show(lesion, model.operating_points ?? []),
  onOpen: () => panel.focus(),
});
const panel = new Panel({
  askMap: (lesion, signal) => service.occlusion(lesion.row, lesion.tile, signal),
  onClose: () => {
    gallery.focusCurrent();
    if (!WIDE.matches) panel.hide();
  },
});

const budget = new Budget((n) => {
  gallery.setBudget(n);
  if (byId("show").value === "within") showLesions();
});

// === Steps ===

async function take(files) {
  if (running) return;
  if (lesions.length) restart();
  showProblems([]);
  await choosing.take([...files]);
}

function restart() {
  lesions = [];
  choosing.clear();
  panel.hide();
  for (const id of ["results", "done"]) byId(id).hidden = true;
  showProblems([]);
  say("");
  byId("files").focus();
}

async function run() {
  const { patients } = choosing;
  const onPatient = ({ id, rows }, i) => {
    byId("progress").value = i;
    const which =
      patients.length > 1 ? `patient ${count(i + 1)} of ${count(patients.length)}: ` : "";
    say(`Scoring ${which}${id ? `${id}, ` : ""}${plural(rows.length, "lesion")} …`);
  };
  showProblems([]);
  if (!model) await loadModel();
  if (!model) return;
  running = new AbortController();
  busy(true);
  const most = model.limits?.tiles;
  const found = await score(service, patients, { most, signal: running.signal, onPatient });
  running = null;
  busy(false);
  show(found);
}

function busy(on) {
  byId("progress").max = choosing.patients.length;
  byId("running").hidden = !on;
  for (const id of ["chosen", "drop"]) byId(id).hidden = on;
  if (!on) return;
  byId("results").hidden = true;
  byId("cancel").focus();
}

function show({ refused, warnings, cancelled, ...found }) {
  lesions = found.lesions;
  say(`${cancelled ? "Cancelled. " : ""}${outcome()}`);
  showProblems(refused);
  const other = lesions.some(({ bundle }) => bundle.checksum !== model.checksum);
  list("warnings", other ? [...warnings, OTHER_MODEL] : warnings);
  for (const id of ["chosen", "drop"]) byId(id).hidden = lesions.length > 0;
  for (const id of ["done", "results"]) byId(id).hidden = !lesions.length;
  if (!lesions.length) return byId("score").focus();
  showPatients();
  budget.show(lesions, model.look_budget ?? []);
  showLesions();
  byId("results-heading").focus();
}

function outcome() {
  const n = new Set(lesions.map((lesion) => lesion.patient_id)).size;
  const all = choosing.patients.length;
  const whose = n < all ? `${count(n)} of ${plural(all, "patient")}` : plural(n, "patient");
  return `${plural(lesions.length, "lesion")} of ${whose} scored.`;
}

// === Lesions ===

function showPatients() {
  const ids = [...new Set(lesions.map((lesion) => lesion.patient_id))];
  const options = ids.map((id) => make("option", { value: id, text: id || "the patient" }));
  if (ids.length > 1)
    options.unshift(make("option", { value: "*", text: `all ${count(ids.length)}` }));
  byId("patient").replaceChildren(...options);
  for (const id of ["patient", "order"]) byId(id).parentElement.hidden = ids.length < 2;
}

/** The lesions that the controls ask for, in the order asked for. */
function listed() {
  const [patient, show] = [byId("patient").value, byId("show").value];
  const asked = {
    all: () => true,
    within: (lesion) => within(lesion, budget.n),
    marked: (lesion) => marks(lesion).length > 0,
  }[show];
  const own = lesions.filter((lesion) => patient === "*" || lesion.patient_id === patient);
  return sorted(own.filter(asked), byId("order").value);
}

function showLesions() {
  const shown = listed();
  const byPatient = byId("order").value === "patient" && byId("patient").value === "*";
  const points = model.operating_points?.length ?? 0;
  panel.hide();
  gallery.show(shown, { budget: budget.n, byPatient, patients: byId("patient").length, points });
  byId("count").textContent =
    shown.length === lesions.length
      ? ""
      : `${count(shown.length)} of ${plural(lesions.length, "lesion")}.`;
  if (WIDE.matches) gallery.selectFirst();
}

// === The page ===

function listen() {
  for (const id of ["files", "folder"]) {
    byId(id).addEventListener("change", async ({ target }) => {
      await take(target.files);
      target.value = ""; // so that the same files can be chosen again
    });
  }
  const drop = byId("drop");
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    await take(await dropped(event.dataTransfer));
  });
  byId("chosen").addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  byId("cancel").addEventListener("click", () => running?.abort());
  for (const button of document.querySelectorAll(".restart"))
    button.addEventListener("click", restart);
  for (const id of ["patient", "order", "show"]) byId(id).addEventListener("change", showLesions);
  byId("download").addEventListener("click", () =>
    download("lesions-by-risk.csv", asCsv(listed(), budget.n), "text/csv;charset=utf-8"),
  );
  byId("print").addEventListener("click", () => print());
}

/** Ask which model it is. A service that was not ready is asked again when there is work. */
async function loadModel() {
  try {
    model = await service.model();
    showModel(model);
  } catch (error) {
    showProblems([{ error }]);
  }
}

listen();
loadModel();
