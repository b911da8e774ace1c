// Before the first paint: the reader's own choice of light or dark, where there is one. It is a file and not part of
// the document because the content security policy allows no inline script.
try {
  const choice = JSON.parse(localStorage.getItem('kith.preferences') || '{}').theme;
  if (choice === 'light' || choice === 'dark') document.documentElement.dataset.theme = choice;
} catch {
  // Storage can be closed to pages; then the system's choice holds.
}
