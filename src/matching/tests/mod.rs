mod cases;
mod oracle;
