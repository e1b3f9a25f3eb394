import "./workers";
import "@graphiql/react/font/roboto.css";
import "@graphiql/react/font/fira-code.css";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "graphiql/graphiql.css";
import "./style.css";
import "./explain.css";

import { createRoot } from "react-dom/client";

import { readConfiguration } from "./configuration";
import { Explorer } from "./explorer";

const root = document.getElementById("explorer");
if (root) createRoot(root).render(<Explorer {...readConfiguration(document)} />);
