// Draws the page that the server names in the frame.

import { setUpOperator } from "./operator";
import { showAlerts } from "./pages/alerts";
import { showCommand, showCommands } from "./pages/commands";
import { showDashboard } from "./pages/dashboard";
import { showDeadLetters } from "./pages/dead-letters";
import { showTargets } from "./pages/targets";
import { setUpShell } from "./shell";
import { applyTheme, setUpTheme } from "./theme";

applyTheme();

async function start(): Promise<void> {
  const { page = "", subject = "" } = document.body.dataset;
  let restyle: () => void = () => {};
  setUpTheme(() => restyle());
  setUpOperator();
  document.querySelector("#main > .placeholder")?.remove();
  const dashboards = setUpShell();
  switch (page) {
    case "dashboard": {
      const all = await dashboards;
      if (all !== null) restyle = showDashboard(all, subject);
      break;
    }
    case "alerts":
      showAlerts();
      break;
    case "targets":
      showTargets();
      break;
    case "commands":
      showCommands();
      break;
    case "command":
      showCommand(subject);
      break;
    case "dead-letters":
      showDeadLetters();
      break;
    default:
      break;
  }
}

void start();
