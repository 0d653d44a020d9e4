"use strict";
// Where a pointer rests on a fan, or the arrow keys move: the day, and its price or its median and bands.
for (const figure of document.querySelectorAll(".fans")) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const days = data.days.concat(data.ahead);
  const origin = data.days.length - 1;

  const price = (value) => value.toLocaleString("en-US", {
    minimumFractionDigits: data.decimals, maximumFractionDigits: data.decimals,
  });
  const text = (index) => {
    const date = new Date(days[index] * 864e5).toISOString().slice(0, 10);
    if (index <= origin) return `${date}\nprice ${price(data.prices[index])}`;
    const row = index - origin - 1;
    const band = (share) => `${price(data["lower_" + share][row])} to ${price(data["upper_" + share][row])}`;
    return `${date}, ${data.unit} ${row + 1}\nmedian ${price(data.median[row])}\n50 % band ${band(50)}\n90 % band ${band(90)}`;
  };

  for (const fan of figure.querySelectorAll(".fan")) {
    const plot = fan.querySelector(".plot"), cross = fan.querySelector(".cross"), hover = fan.querySelector(".hover");
    const first = Number(fan.dataset.first), span = Number(fan.dataset.last) - first;
    const start = days.findIndex((day) => day >= first);
    let shown = origin;

    const show = (index) => {
      shown = Math.min(Math.max(index, start), days.length - 1);
      const share = (days[shown] - first) / span, width = plot.getBoundingClientRect().width;
      cross.setAttribute("x1", 100 * share + "%");
      cross.setAttribute("x2", 100 * share + "%");
      cross.style.visibility = "visible";
      hover.textContent = text(shown);
      hover.hidden = false;
      const room = fan.getBoundingClientRect().width - hover.offsetWidth;
      const beside = share > 0.5 ? share * width - hover.offsetWidth - 10 : share * width + 10;
      hover.style.left = Math.min(Math.max(beside, 0), room) + "px";
    };
    const hide = () => {
      cross.style.visibility = "hidden";
      hover.hidden = true;
    };
    const nearest = (event) => {
      const box = plot.getBoundingClientRect();
      const day = first + span * (event.clientX - box.left) / box.width;
      const after = days.findIndex((each) => each >= day);
      if (after < 0) return days.length - 1;
      return after > start && day - days[after - 1] < days[after] - day ? after - 1 : after;
    };

    plot.addEventListener("pointermove", (event) => show(nearest(event)));
    plot.addEventListener("pointerdown", (event) => show(nearest(event)));
    plot.addEventListener("pointerleave", hide);
    fan.addEventListener("blur", hide);
    fan.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (move === undefined) return;
      event.preventDefault();
      show(shown + move);
    });
  }
}

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
