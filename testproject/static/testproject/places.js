// Ask each neighbour, one after the other, which process and interpreter answers.
async function ask(cell) {
  const answer = await fetch(cell.dataset.place);
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const told = await answer.json();
  const group = [told.process_group || "embedded", told.application_group || "main interpreter"];
  const django = told.django ? `, Django ${told.django}` : "";
  return `process ${told.pid}, Python ${told.python}${django}; ${group.join(", ")}`;
}

(async () => {
  for (const cell of document.querySelectorAll("[data-place]")) {
    cell.textContent = "asking";
    try {
      cell.textContent = await ask(cell);
    } catch (error) {
      cell.textContent = `no answer: ${error.message}`;
    }
  }
})();
